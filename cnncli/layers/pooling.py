"""Pooling: one number for every window of every channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from cnncli.errors import ShapeError
from cnncli.kernels.cells import copy_cells
from cnncli.kernels.geometry import Geometry
from cnncli.kernels.pooling import (
    max_pool,
    max_pool_backward,
    sum_pool,
    sum_pool_backward,
    window_counts,
)
from cnncli.layers.base import Array, Cache, Layer, Params, Part, Shape
from cnncli.layers.run import Run
from cnncli.layers.windows import Padding, SizePair, Windowed


class _Pool(Windowed):
    """Pooling over windows that slide over (C, H, W)."""

    stride: SizePair | None = Field(
        None,
        validate_default=True,
        description="step of the window: a number or [height, width]; kernel_size if not given",
    )

    @field_validator("stride")
    @classmethod
    def _as_the_kernel(cls, stride: tuple[int, int] | None, options: ValidationInfo) -> tuple[int, int] | None:
        return stride or options.data.get("kernel_size")

    @property
    def strides(self) -> tuple[int, int]:
        return self.stride or self.kernel_size

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        geometry = self.geometry(shape)
        for name, axis in (("height", geometry.height), ("width", geometry.width)):
            if axis.before > axis.kernel // 2:
                raise ShapeError(
                    f"{self.type} with {name} {axis.kernel} takes a padding of at most {axis.kernel} // 2 = "
                    f"{axis.kernel // 2}, but gets {axis.before}: windows would lie in the padding alone",
                    option="padding",
                )
        return (shape[0], *geometry.out)


class MaxPool2d(_Pool):
    """The largest value of every window. Where several are equal the first, row by row, takes the gradient."""

    type: ClassVar[str] = "max_pool2d"
    picks_maximum: ClassVar[bool] = True

    padding: Padding = Field(
        (0, 0),
        description="border that never wins: a number, [height, width], 'same' (output = input / stride, rounded up) "
        "or 'valid' (none)",
    )

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        geometry = self.geometry(x.shape[:-1])
        y, winners = max_pool(x, geometry, run.empty, record=run.keep)
        return y, (winners, geometry) if run.keep else None

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        winners, geometry = cache
        return (max_pool_backward(winners, dy, geometry, run.empty) if run.needs[0] else None,), {}

    def branches(self, params: Mapping[str, Array], cache: Cache) -> Array:
        """The tap that won, counted row by row: (C, oh, ow, n)."""
        winners: Array = cache[0]
        return winners


class AvgPool2d(_Pool):
    """The mean of every window."""

    type: ClassVar[str] = "avg_pool2d"
    linear: ClassVar[bool] = True

    count_include_pad: bool = Field(True, description="whether the zeros of the padding count in the mean")

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        geometry = self.geometry(x.shape[:-1])
        y = sum_pool(x, geometry, run.empty)
        y *= self._shares(geometry, x.real.dtype)
        return y, geometry

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        if not run.needs[0]:
            return (None,), {}
        share = dy if run.owns_dy else run.empty(dy.shape, dy.dtype)
        np.multiply(dy, self._shares(cache, dy.real.dtype), out=share)
        return (sum_pool_backward(share, cache, run.empty),), {}

    def _shares(self, geometry: Geometry, dtype: np.dtype[Any]) -> Array:
        """1 / size of every window, to be multiplied with (C, oh, ow, n)."""
        if self.count_include_pad or not geometry.padded:
            return np.asarray(1 / math.prod(self.kernel_size), dtype)
        return (1 / window_counts(geometry)).astype(dtype)[:, :, None]


class GlobalAvgPool2d(Layer):
    """The mean of every channel: (C, H, W) to (C,)."""

    type: ClassVar[str] = "global_avg_pool2d"
    linear: ClassVar[bool] = True

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        if len(shape) != 3:
            hint = "it is flat already, so leave this layer out" if len(shape) == 1 else "give it an image"
            raise ShapeError(f"{self.type} takes (C, H, W), but gets {shape}: {hint}")
        return shape[:1]

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        channels, height, width, n = x.shape
        y = run.empty((channels, 1, n), x.dtype)
        shares = _shares_of(height * width, x.dtype)
        np.matmul(shares, x.reshape(channels, -1, n), out=y)  # many times as fast as np.sum
        return y[:, 0], x.shape

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        if not run.needs[0]:
            return (None,), {}
        dx = run.empty(cache, dy.dtype)
        copy_cells(dx, (dy * (1 / (cache[1] * cache[2])))[:, None, None, :])
        return (dx,), {}

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        ((_, height, width),) = inputs
        return ((part[0], range(height), range(width)),)

    def window(self) -> None:
        return None


@lru_cache(maxsize=1024)
def _shares_of(pixels: int, dtype: np.dtype[Any]) -> Array:
    """What each of so many pixels counts in their mean: (1, pixels)."""
    shares = np.full((1, pixels), 1 / pixels, dtype)
    shares.flags.writeable = False
    return shares
