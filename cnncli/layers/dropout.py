"""Dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from cnncli.layers.base import Array, Cache, Layer, Params, Shape
from cnncli.layers.run import Run


class Dropout(Layer):
    """In training y = x * mask / (1 - p), each element of mask 0 with probability p, else 1; otherwise y = x.

    Srivastava et al. 2014, in the inverted form: the scale is right in training, so that inference does nothing.
    """

    type: ClassVar[str] = "dropout"
    aliases_input: ClassVar[bool] = True  # at inference
    aliases_dy: ClassVar[bool] = True

    p: float = Field(0.5, ge=0, le=1, description="probability that an element is set to zero in training")

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        if not run.training or self.p == 0:
            return x, None
        # Drawn in single precision whatever the dtype, so that every dtype has the same mask.
        draws = run.generator().random(dtype=np.float32, out=run.empty(x.shape, np.float32))
        mask = np.greater_equal(draws, np.float32(self.p), out=run.empty(x.shape, np.bool_))
        y = x if run.owned[0] else run.empty(x.shape, x.dtype)
        return self._drop(x, mask, y), mask if run.keep else None

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        if not run.needs[0]:
            return (None,), {}
        if cache is None:
            return (dy,), {}
        return (self._drop(dy, cache, dy if run.owns_dy else run.empty(dy.shape, dy.dtype)),), {}

    def _drop(self, x: Array, mask: Array, out: Array) -> Array:
        np.multiply(x, mask, out=out)
        out *= 1 / (1 - self.p) if self.p < 1 else 0
        return out
