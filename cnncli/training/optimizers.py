"""Optimizers: update rules on flat arrays, in place, with PyTorch's rules, names and defaults.

The formulas are those of the pages of `torch.optim`; t counts the updates from 1, theta are the parameters
and g is the gradient of the mean loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Array = NDArray[Any]
Slots = dict[str, Array]

CHUNK = 1 << 16
"""Elements updated at a time: few enough that what one chunk reads and writes stays in the cache from one
pass to the next, many enough that the cost of a NumPy call does not count."""

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(BaseModel):
    """One kind of optimizer; its fields are its options in YAML. It stores no array."""

    # Deferred, since a configuration uses one kind of many, and building a schema takes milliseconds.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    type: ClassVar[str]
    """The name in YAML."""

    lr: NonNegative
    weight_decay: NonNegative = Field(0.0, description="L2 penalty: this times the parameters is added to the gradient")

    def slots(self) -> tuple[str, ...]:
        """Names of the arrays that it carries from step to step, each as large as the parameters."""
        return ()

    def new_state(self, parameters: Array) -> Slots:
        """The slots before the first step."""
        return {slot: np.zeros_like(parameters) for slot in self.slots()}

    def update(
        self,
        parameters: Array,
        gradient: Array,
        state: Slots,
        step: int,
        *,
        lr: float | None = None,
        spans: Sequence[slice] | None = None,
    ) -> None:
        """One step: changes `parameters` and `state` (from `new_state`) in place and leaves `gradient` as it is.

        All are flat and of one dtype; `step` is 1 for the first step; `lr` stands in for the optimizer's own. `spans`
        are the parts of the parameters that take part, by default all; nothing happens to the others.
        """
        rate = self.lr if lr is None else lr
        scratch = np.empty((2, min(CHUNK, parameters.size)), parameters.dtype)
        for part in _chunks(spans or [slice(0, parameters.size)]):
            theta = parameters[part]
            slots = {slot: array[part] for slot, array in state.items()}
            self._advance(theta, gradient[part], slots, step, rate, scratch[:, : theta.size])

    def _advance(self, theta: Array, g: Array, slots: Slots, t: int, lr: float, scratch: Array) -> None:
        """The update rule, for one chunk. `scratch` is (2, theta.size)."""
        raise NotImplementedError

    def _penalised(self, theta: Array, g: Array, out: Array) -> Array:
        """g + weight_decay * theta, in `out` where it differs from g."""
        if self.weight_decay == 0:
            return g
        np.multiply(theta, self.weight_decay, out=out)
        out += g
        return out


def _chunks(spans: Sequence[slice]) -> Iterator[slice]:
    for span in spans:
        for start in range(span.start, span.stop, CHUNK):
            yield slice(start, min(start + CHUNK, span.stop))


def _accumulate(total: Array, decay: float, addend: Array) -> None:
    """total = decay * total + addend."""
    total *= decay
    total += addend


class SGD(Optimizer):
    """Stochastic gradient descent (torch.optim.SGD).

        g  <- g + weight_decay * theta
        b  <- momentum * b + (1 - dampening) * g        (b = g in the first step)
        theta <- theta - lr * b                         (nesterov: g + momentum * b instead of b)

    Sutskever et al., On the importance of initialization and momentum in deep learning (2013), for nesterov.
    """

    type: ClassVar[str] = "sgd"

    lr: NonNegative = Field(1e-3, description="learning rate")
    momentum: NonNegative = Field(0.0, description="share of the last step's direction that is kept")
    dampening: Annotated[float, Field(allow_inf_nan=False)] = Field(
        0.0, description="share of the gradient that is left out of the momentum"
    )
    nesterov: bool = Field(False, description="look ahead along the momentum")

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SGD:
        if self.nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError(
                f"nesterov needs a momentum above 0 and a dampening of 0, but they are {self.momentum:g} and"
                f" {self.dampening:g}; set momentum: 0.9 or leave nesterov out"
            )
        return self

    def slots(self) -> tuple[str, ...]:
        """b of the formula, where there is momentum."""
        return ("momentum",) if self.momentum else ()

    def _advance(self, theta: Array, g: Array, slots: Slots, t: int, lr: float, scratch: Array) -> None:
        direction, spare = scratch
        g = self._penalised(theta, g, out=direction)
        if self.momentum:
            g = self._with_momentum(g, slots["momentum"], t, spare)
        np.multiply(g, lr, out=spare)
        theta -= spare

    def _with_momentum(self, g: Array, b: Array, t: int, spare: Array) -> Array:
        if t == 1:
            b[...] = g
        elif self.dampening:
            np.multiply(g, 1 - self.dampening, out=spare)
            _accumulate(b, self.momentum, spare)
        else:
            _accumulate(b, self.momentum, g)
        if not self.nesterov:
            return b
        np.multiply(b, self.momentum, out=spare)
        spare += g
        return spare


class RMSprop(Optimizer):
    """RMSprop (torch.optim.RMSprop): steps divided by a running root mean square of the gradient.

        g  <- g + weight_decay * theta
        v  <- alpha * v + (1 - alpha) * g^2
        m  <- alpha * m + (1 - alpha) * g               (centered; otherwise m = 0)
        d  <- g / (sqrt(v - m^2) + eps)
        b  <- momentum * b + d                          (without momentum: b = d)
        theta <- theta - lr * b

    Hinton, Neural Networks for Machine Learning, lecture 6e (2012); centered: Graves, Generating Sequences with
    Recurrent Neural Networks (2013). The slots hold v / (1 - alpha) and m / (1 - alpha), which saves passes. Where
    rounding makes v - m^2 negative it counts as 0.
    """

    type: ClassVar[str] = "rmsprop"

    lr: NonNegative = Field(1e-2, description="learning rate")
    alpha: Decay = Field(0.99, description="decay of the running mean of squares")
    eps: NonNegative = Field(1e-8, description="added to the root, for numerical stability")
    momentum: NonNegative = Field(0.0, description="share of the last step's direction that is kept")
    centered: bool = Field(False, description="divide by the standard deviation of the gradient instead")

    def slots(self) -> tuple[str, ...]:
        """v, and where they are used m and b."""
        centered = ("gradient_sum",) if self.centered else ()
        momentum = ("momentum",) if self.momentum else ()
        return ("square_sum", *centered, *momentum)

    def _advance(self, theta: Array, g: Array, slots: Slots, t: int, lr: float, scratch: Array) -> None:
        penalised, d = scratch
        g = self._penalised(theta, g, out=penalised)
        v, root = slots["square_sum"], math.sqrt(1 - self.alpha)
        np.multiply(g, g, out=d)
        _accumulate(v, self.alpha, d)
        variance = v
        if self.centered:
            m = slots["gradient_sum"]
            _accumulate(m, self.alpha, g)
            np.multiply(m, root, out=d)
            np.multiply(d, d, out=d)
            np.subtract(v, d, out=d)
            variance = np.maximum(d, 0, out=d)
        np.sqrt(variance, out=d)
        d += self.eps / root
        np.divide(g, d, out=d)  # root * (the d of the formula)
        if self.momentum:
            b = slots["momentum"]
            _accumulate(b, self.momentum, d)
            np.multiply(b, lr / root, out=d)
        else:
            d *= lr / root
        theta -= d


class Adam(Optimizer):
    """Adam (torch.optim.Adam), with the L2 penalty in the gradient.

        g  <- g + weight_decay * theta
        m  <- beta1 * m + (1 - beta1) * g
        v  <- beta2 * v + (1 - beta2) * g^2
        theta <- theta - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)

    amsgrad: the largest v so far in the last line. Kingma and Ba, Adam: A Method for Stochastic Optimization
    (2015), algorithm 1; Reddi et al., On the Convergence of Adam and Beyond (2018). The slots hold m / (1 - beta1)
    and v / (1 - beta2), and the factors go into one scalar, which saves three passes of thirteen.
    """

    type: ClassVar[str] = "adam"

    lr: NonNegative = Field(1e-3, description="learning rate")
    betas: tuple[Decay, Decay] = Field((0.9, 0.999), description="decays of the running means of gradient and square")
    eps: NonNegative = Field(1e-8, description="added to the root, for numerical stability")
    amsgrad: bool = Field(False, description="divide by the largest running mean of squares so far")

    def slots(self) -> tuple[str, ...]:
        """m and v, and with amsgrad the largest v."""
        return ("gradient_sum", "square_sum", *(("square_sum_max",) if self.amsgrad else ()))

    def _advance(self, theta: Array, g: Array, slots: Slots, t: int, lr: float, scratch: Array) -> None:
        penalised, d = scratch
        g = self._penalised(theta, g, out=penalised)
        m, v = slots["gradient_sum"], slots["square_sum"]
        beta1, beta2 = self.betas
        _accumulate(m, beta1, g)
        np.multiply(g, g, out=d)
        _accumulate(v, beta2, d)
        if self.amsgrad:
            v = np.maximum(slots["square_sum_max"], v, out=slots["square_sum_max"])
        root = math.sqrt((1 - beta2) / (1 - beta2**t))
        np.sqrt(v, out=d)
        d += self.eps / root
        np.divide(m, d, out=d)
        d *= lr * (1 - beta1) / (1 - beta1**t) / root
        theta -= d


class AdamW(Adam):
    """AdamW (torch.optim.AdamW): Adam with the weight decay apart from the gradient.

        theta <- theta - lr * weight_decay * theta, then Adam's step without penalty

    Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2.
    """

    type: ClassVar[str] = "adamw"

    weight_decay: NonNegative = Field(1e-2, description="share of the parameters, times lr, taken away in each step")

    def _advance(self, theta: Array, g: Array, slots: Slots, t: int, lr: float, scratch: Array) -> None:
        if self.weight_decay:
            theta *= 1 - lr * self.weight_decay
        super()._advance(theta, g, slots, t, lr, scratch)

    def _penalised(self, theta: Array, g: Array, out: Array) -> Array:
        return g


OPTIMIZERS: dict[str, type[Optimizer]] = {kind.type: kind for kind in (SGD, RMSprop, Adam, AdamW)}
"""Every optimizer by its name in YAML."""
