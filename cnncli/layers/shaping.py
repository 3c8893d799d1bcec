"""Layers that change no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from cnncli.layers.base import Array, Cache, Layer, Params, Shape
from cnncli.layers.run import Run


class Flatten(Layer):
    """(C, H, W) to (C*H*W,), row by row of every channel. A view: nothing is moved."""

    type: ClassVar[str] = "flatten"
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


class Identity(Layer):
    """y = x."""

    type: ClassVar[str] = "identity"
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
