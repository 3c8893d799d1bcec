"""Softmax: numbers to shares of 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from cnncli.layers.base import Array, Cache, Layer, Params, Part, Shape, Steps
from cnncli.layers.run import Run


class Softmax(Layer):
    """y_c = exp(x_c) / sum over k of exp(x_k), over the first axis: channels or features."""

    type: ClassVar[str] = "softmax"
    keeps_output: ClassVar[bool] = True
    link: ClassVar[str | None] = "softmax"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        y = x if run.owned[0] else run.empty(x.shape, x.dtype)
        np.subtract(x, x.real.max(axis=0), out=y)
        np.exp(y, out=y)
        y /= y.sum(axis=0)
        return y, y if run.keep else None

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        """dx = y * (dy - sum over k of y_k dy_k)."""
        if not run.needs[0]:
            return (None,), {}
        y = cache
        product = np.multiply(y, dy, out=run.empty(y.shape, y.dtype))
        dx = dy if run.owns_dy else run.empty(dy.shape, dy.dtype)
        np.subtract(dy, product.sum(axis=0), out=dx)
        dx *= y
        return (dx,), {}

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        return ((range(inputs[0][0]), *part[1:]),)

    def by_hand(self, params: Mapping[str, Array], xs: tuple[Array, ...], place: tuple[int, ...], run: Run) -> Steps:
        numbers = np.moveaxis(xs[0], 0, -1)[place[1:]]
        x, largest = xs[0][place], numbers.max()
        power, total = np.exp(x - largest), np.exp(numbers - largest).sum()
        return (
            ("x", x),
            (f"m, the largest of the {len(numbers)} x", largest),
            ("e = exp(x - m)", power),
            ("s, the sum of all exp(x - m)", total),
            ("e / s", power / total),
        )
