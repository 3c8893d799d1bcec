"""Losses: a mean over the samples of a scalar for each, as PyTorch computes them by default."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cnncli.errors import DataError

Array = NDArray[Any]
Shape = tuple[int, ...]


def are_classes(targets: Array, shape: Shape) -> bool:
    """Whether targets as the data set has them, batch first, are class numbers for an output of this `shape`.

    So are integers, one where the network has several outputs. A single output has the number itself as its target.
    """
    return targets.dtype.kind in "iu" and math.prod(shape) > 1 and targets.shape[1:] != shape


def class_numbers(targets: Array, shape: Shape) -> Array:
    """(N, *positions), of class numbers as they are, or of a share for each class, (N, *shape): the largest one."""
    return np.asarray(targets.argmax(axis=1) if targets.shape[1:] == shape else targets)


class Account(NamedTuple):
    """One sample's loss worked out by hand, for every element of the output (*shape,): the loss is the sum of the
    terms / divisor, the gradient is slopes / divisor."""

    columns: dict[str, Array]
    """What is needed to find them, by name."""
    formula: str
    terms: Array
    slope_formula: str
    slopes: Array
    divisor: int


class Loss(BaseModel):
    """One kind of loss; its fields are its options in YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    type: ClassVar[str]
    link: ClassVar[str | None] = None
    """The link function it contains: a network that ends in this one is read before it."""

    def encode(self, targets: Array, shape: Shape) -> Array:
        """Targets as the data set has them, batch first, to targets as `forward` wants them, batch last.

        Class numbers (N,) or numbers (N, *shape). Raises DataError where they do not fit the output `shape`.
        """
        raise NotImplementedError

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        """The loss of every sample, (n,), and a cache; y is (*shape, n)."""
        raise NotImplementedError

    def backward(self, cache: Any) -> Array:
        """d(loss of sample i) / dy, (*shape, n): not divided by the number of samples."""
        raise NotImplementedError

    def by_hand(self, y: Array, target: Array) -> Account:
        """The same for one sample, y and target being (*shape,): as one would do it with a pocket calculator."""
        raise NotImplementedError


class CrossEntropy(Loss):
    """-sum over k of t_k * log softmax(y)_k, the t_k being 1 for the sample's class, else 0, or shares of classes.

    y are logits, (K,) or (K, H, W); positions are averaged. With label smoothing s, t becomes
    (1 - s) * t + s / K (Szegedy et al. 2016, section 7).
    """

    type: ClassVar[str] = "cross_entropy"
    link: ClassVar[str | None] = "softmax"

    label_smoothing: float = Field(0.0, ge=0, le=1, description="share of the target that is spread over all classes")

    def encode(self, targets: Array, shape: Shape) -> Array:
        if targets.dtype.kind in "iu":
            return _one_hot(targets, shape)
        return _numbers(targets, shape, 0, 1)

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        wanted = self._smoothed(target, y)
        total = np.add.reduce(wanted, axis=0)
        shifted = y - np.maximum.reduce(y.real, axis=0)  # so that exp does not overflow
        powers = np.exp(shifted)
        partition = np.add.reduce(powers, axis=0)
        losses = np.log(partition)
        losses *= total
        shifted *= wanted
        losses -= np.add.reduce(shifted, axis=0)
        powers /= partition
        return _mean_over_elements(losses), (powers, wanted, total)

    def backward(self, cache: Any) -> Array:
        """(softmax(y) * sum of t - t) / positions."""
        probabilities, wanted, total = cache
        gradient: Array = probabilities * total
        gradient -= wanted
        positions = math.prod(gradient.shape[1:-1])
        if positions > 1:
            gradient /= positions
        return gradient

    def by_hand(self, y: Array, target: Array) -> Account:
        wanted = self._smoothed(target, y)
        logs = y - y.max(axis=0) - np.log(np.exp(y - y.max(axis=0)).sum(axis=0))
        total = wanted.sum(axis=0)
        return Account(
            {"logit": y, "softmax": np.exp(logs), "target": wanted},
            "-target * log(softmax)",
            -wanted * logs,
            "softmax - target" if np.allclose(total, 1) else "softmax * sum of targets - target",
            np.exp(logs) * total - wanted,
            math.prod(y.shape[1:]),
        )

    def _smoothed(self, target: Array, y: Array) -> Array:
        wanted = target.astype(y.real.dtype, copy=False)
        if self.label_smoothing:
            wanted = wanted * (1 - self.label_smoothing) + self.label_smoothing / len(y)
        return wanted


class MeanSquaredError(Loss):
    """mean over the sample's elements of (y - t)^2. Class numbers become 1 for the class, else 0."""

    type: ClassVar[str] = "mse"

    def encode(self, targets: Array, shape: Shape) -> Array:
        return _one_hot(targets, shape) if are_classes(targets, shape) else _numbers(targets, shape)

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        error = y - target.astype(y.real.dtype, copy=False)
        return _mean_over_elements(error * error), error

    def backward(self, cache: Any) -> Array:
        gradient: Array = cache * (2 / math.prod(cache.shape[:-1]))
        return gradient

    def by_hand(self, y: Array, target: Array) -> Account:
        error = y - target.astype(y.dtype, copy=False)
        columns = {"output": y, "target": target}
        return Account(columns, "(output - target)^2", error**2, "2 * (output - target)", 2 * error, y.size)


class BCEWithLogits(Loss):
    """mean over the sample's elements of -(t log s(y) + (1 - t) log(1 - s(y))), s the sigmoid and y logits.

    Computed as max(y, 0) - t y + log(1 + exp(-|y|)), which neither overflows nor loses small numbers. Targets
    are 0 and 1 or in between; class numbers become 1 for the class, else 0.
    """

    type: ClassVar[str] = "bce_with_logits"
    link: ClassVar[str | None] = "sigmoid"

    def encode(self, targets: Array, shape: Shape) -> Array:
        return _one_hot(targets, shape) if are_classes(targets, shape) else _numbers(targets, shape, 0, 1)

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        wanted = target.astype(y.real.dtype, copy=False)
        positive = y.real > 0
        small = np.exp(np.where(positive, -y, y))  # exp(-|y|)
        losses = np.where(positive, y, 0) - wanted * y + np.log1p(small)
        sigmoid = np.where(positive, 1, small) / (1 + small)
        return _mean_over_elements(losses), sigmoid - wanted

    def backward(self, cache: Any) -> Array:
        gradient: Array = cache / math.prod(cache.shape[:-1])
        return gradient

    def by_hand(self, y: Array, target: Array) -> Account:
        wanted = target.astype(y.dtype, copy=False)
        share = np.exp(-np.logaddexp(0, -y))  # 1 / (1 + exp(-y)), where exp would overflow too
        return Account(
            {"logit": y, "sigmoid": share, "target": wanted},
            "-target * log(sigmoid) - (1 - target) * log(1 - sigmoid)",
            wanted * np.logaddexp(0, -y) + (1 - wanted) * np.logaddexp(0, y),  # -log of a number that may round to 0
            "sigmoid - target",
            share - wanted,
            y.size,
        )


LOSSES: dict[str, type[Loss]] = {loss.type: loss for loss in (CrossEntropy, MeanSquaredError, BCEWithLogits)}


def _mean_over_elements(losses: Array) -> Array:
    """(..., n) to (n,)."""
    count = losses.size // losses.shape[-1]
    if count == 1:
        return losses.reshape(-1)
    mean: Array = np.add.reduce(losses.reshape(count, -1), axis=0)
    mean /= count
    return mean


def _one_hot(classes: Array, shape: Shape) -> Array:
    """(K, *positions, N): 1 where k is the class, else 0. `classes` is (N, *positions), the output (K, *positions).

    Raises DataError where a class does not exist.
    """
    count, positions = shape[0], shape[1:]
    if classes.shape[1:] != positions:
        raise DataError(
            f"a target holds class numbers of shape {classes.shape[1:]}, but for the network's output {shape} "
            f"it must have shape {positions}"
        )
    expected = f"a class from 0 to {count - 1}, since the network has {count} outputs"
    _require((classes >= 0) & (classes < count), classes, expected)
    last = np.moveaxis(classes, 0, -1)  # (*positions, N)
    every_class = np.arange(count).reshape(-1, *(1,) * last.ndim)
    return np.equal(last, every_class).astype(np.float32)


def _numbers(targets: Array, shape: Shape, low: float = -math.inf, high: float = math.inf) -> Array:
    """(*shape, N), from (N, *shape), or (N,) for a single output.

    Raises DataError for another shape, or where a number is not finite or not within low and high.
    """
    if targets.ndim == 1 and math.prod(shape) == 1:
        targets = targets.reshape(-1, *shape)
    if targets.shape[1:] != shape:
        raise DataError(
            f"a target is {targets.dtype} numbers of shape {targets.shape[1:]}, but the network's output is {shape}; "
            "expected numbers of that shape, or class numbers as integers"
        )
    limits = "a finite number" if high == math.inf else f"a number from {low:g} to {high:g}"
    _require(np.isfinite(targets) & (targets >= low) & (targets <= high), targets, limits)
    numbers = targets if targets.dtype.kind == "f" else targets.astype(np.float32)
    return np.ascontiguousarray(np.moveaxis(numbers, 0, -1))


def _require(valid: Array, targets: Array, expected: str) -> None:
    """Raises DataError that names the first target that is not valid; both are batch first."""
    if valid.all():
        return
    sample, *place = np.argwhere(~valid)[0].tolist()
    where = f"sample {sample}, element {place}" if place else f"sample {sample}"
    wrong = valid.size - np.count_nonzero(valid)
    raise DataError(
        f"the target of {where} is {targets[sample, *place]:g}; expected {expected} ({wrong} of {valid.size} are wrong)"
    )
