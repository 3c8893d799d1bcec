"""Layers that change no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from cnncli.layers.base import Array, Cache, Layer, Params, Part, Shape
from cnncli.layers.run import Run


class Flatten(Layer):
    """(C, H, W) to (C*H*W,), row by row of every channel. A view: nothing is moved."""

    type: ClassVar[str] = "flatten"
    linear: ClassVar[bool] = True
    aliases_input: ClassVar[bool] = True
    aliases_dy: ClassVar[bool] = True

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return (math.prod(inputs[0]),)

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        return x.reshape(-1, x.shape[-1]), x.shape

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        return (dy.reshape(cache) if run.needs[0] else None,), {}

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        """The smallest box around it: beyond the first axis on which its ends differ, everything."""
        (shape,) = inputs
        ends = (np.unravel_index(end, shape) for end in (part[0][0], part[0][-1]))
        box: list[range] = []
        for size, first, last in zip(shape, *ends, strict=True):
            differ = any(len(axis) > 1 for axis in box)
            box.append(range(size) if differ else range(int(first), int(last) + 1))
        return (tuple(box),)


class Identity(Layer):
    """y = x."""

    type: ClassVar[str] = "identity"
    linear: ClassVar[bool] = True
    aliases_input: ClassVar[bool] = True
    aliases_dy: ClassVar[bool] = True

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        return xs[0], None

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        return (dy if run.needs[0] else None,), {}
