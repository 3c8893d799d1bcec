"""What all functions have in common that work element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from cnncli.layers.base import Array, Cache, Layer, Params, Shape, Steps
from cnncli.layers.run import Run


class Elementwise(Layer):
    """y = f(x), element by element: `curve` gives y and dy/dx, the chain rule does the rest."""

    elementwise: ClassVar[bool] = True

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        """Writes f(x) into y, which may be x itself. Gives f'(x), or None where `run.keep` is false, and which
        branch of f each element took, or None where f is smooth."""
        raise NotImplementedError

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        y = x if run.owned[0] else run.empty(x.shape, x.dtype)
        slope, branch = self.curve(x, y, run)
        return y, (slope, branch) if run.keep else None

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        if not run.needs[0]:
            return (None,), {}
        return (np.multiply(dy, cache[0], out=dy if run.owns_dy else run.empty(dy.shape, dy.dtype)),), {}

    def by_hand(self, params: Mapping[str, Array], xs: tuple[Array, ...], place: tuple[int, ...], run: Run) -> Steps:
        x = xs[0][place]
        return ("x", x), *self.worked_out(x)

    def worked_out(self, x: Any) -> Steps:
        """How f(x) is found with a pocket calculator; f(x) itself is last."""
        raise NotImplementedError

    def branches(self, params: Mapping[str, Array], cache: Cache) -> Array | None:
        branch: Array | None = cache[1]
        return branch
