"""The layer: options, shapes, forward and backward in one immutable object that stores no array.

Shapes are per sample and in PyTorch's order: (C, H, W), (C, L) or (F,). Arrays inside the engine carry
the batch as their *last* axis: (C, H, W, N), (C, L, N) or (F, N).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from cnncli.layers.run import Run

Shape = tuple[int, ...]
Array = NDArray[Any]
Params = dict[str, Array]
Cache = Any
Part = tuple[range, ...]
"""Which positions along every axis of a sample's array."""
Steps = tuple[tuple[str, float], ...]
"""What is typed into a pocket calculator, and what it shows."""


class Layer(BaseModel):
    """One kind of layer; its fields are its options in YAML.

    The classes below override what they need; `forward` and `backward` are pure functions of their
    arguments, so that micro-batches may be computed side by side.

    A layer never writes into an array that it did not allocate, except `xs[i]` where `run.owned[i]`
    and `dy` where `run.owns_dy`. Large arrays are created by `run.empty` only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    type: ClassVar[str]
    """The name in YAML."""

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """The least and the most inputs; None: any number."""

    couples_batch: ClassVar[bool] = False
    """In training the output of one sample depends on the others: works in two steps (`forward_sums`)."""

    keeps_output: ClassVar[bool] = False
    """The backward pass reads the layer's own output, so nobody may write over it."""

    aliases_input: ClassVar[bool] = False
    """`forward` may return its input or a view of it: the array then has two names."""

    aliases_dy: ClassVar[bool] = False
    """The same of `backward` and dy."""

    elementwise: ClassVar[bool] = False
    """Each element of the output is a function of the same element of the only input."""

    linear: ClassVar[bool] = False
    """For fixed parameters, as at inference, the output is linear in the inputs together, up to an offset."""

    rectifies: ClassVar[bool] = False
    """Lets positive numbers through and stops the others: what guided backpropagation and the gates are about."""

    keeps_maximum: ClassVar[bool] = False
    """Works element by element, f never falls, and where f maps two numbers to one its slope is 0: then f of a
    maximum is the maximum of the f, with the same gradients."""

    picks_maximum: ClassVar[bool] = False
    """The output is the maximum of each window, whose first element takes the gradient."""

    link: ClassVar[str | None] = None
    """The link function this layer applies, where a loss may prefer to see its input ("softmax", "sigmoid")."""

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        """The output's shape. Raises ShapeError, with the arithmetic and the nearest fix."""
        raise NotImplementedError

    def init(self, inputs: tuple[Shape, ...], rng: np.random.Generator) -> Params:
        """New parameters, float64, under PyTorch's names and in PyTorch's layouts. Default: none."""
        return {}

    def init_buffers(self, inputs: tuple[Shape, ...]) -> Params:
        """State that is no parameter (running statistics), under PyTorch's names. Default: none."""
        return {}

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        """The output and whatever `backward` needs. `params` holds the parameters and the buffers."""
        raise NotImplementedError

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        """Gradients of the inputs (None where `run.needs[i]` is false) and of the parameters (`init`'s keys)."""
        raise NotImplementedError

    def forward_sums(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> Array:
        """Coupled layers, first step: what must be summed over the whole batch before `forward` (`run.totals`)."""
        raise NotImplementedError

    def backward_sums(self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run) -> Array:
        """Coupled layers, first step backward: what must be summed before `backward` (`run.totals`)."""
        raise NotImplementedError

    def update_buffers(self, buffers: Mapping[str, Array], totals: Array) -> Params:
        """Coupled layers: the new buffers after a training batch whose forward sums were `totals`."""
        return {}

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiply-accumulate operations a sample. Default: none."""
        return 0

    def window(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """(extent, stride), each (height, width), of the input window that one output position sees; None where it sees
        everything. Default: the position itself. Where the windows begin depends on the input: ask `sees`."""
        return (1, 1), (1, 1)

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        """Which part of each input a part of the output is made from. It may reach into the padding, and has gaps only
        where a single output position has. Default: the same part.

        (Batch norm in training sees its whole channels, of all samples: whoever asks must know.)
        """
        return (part,) * len(inputs)

    def by_hand(self, params: Mapping[str, Array], xs: tuple[Array, ...], place: tuple[int, ...], run: Run) -> Steps:
        """One number of the output, step by step, itself last; `place` is its index, the sample last.

        Default: nothing, where the layer is linear or picks a maximum, so that the window it sees says everything.
        """
        return ()

    def branches(self, params: Mapping[str, Array], cache: Cache) -> Array | None:
        """Which branch of a piecewise function each element took (signs, winners); None where smooth."""
        return None
