"""A window of the picture's own size, somewhere in a picture that was made larger all around."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from cnncli.data.augmentation.augmentation import Array, Augmentation, Shape
from cnncli.errors import DataError

Padding = Literal["zeros", "edge", "reflect"]

_NUMPY_MODES: dict[Padding, Literal["constant", "edge", "reflect"]] = {
    "zeros": "constant",
    "edge": "edge",
    "reflect": "reflect",
}


class _Window(Augmentation):
    """Pictures moved by up to `padding` whole pixels in each direction."""

    padding: int
    padding_mode: Padding = Field(
        "zeros", description="what comes in from outside: zeros, the outermost pixels again, or the picture mirrored"
    )

    def check(self, shape: Shape) -> None:
        super().check(shape)
        height, width = shape[1:]
        most = min(height, width) - 1
        if self.padding > most:
            raise DataError(
                f"data.augment: {self.type} with a padding of {self.padding} could move a picture of {height}x{width} "
                f"out of sight; expected at most {most}"
            )

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        (n, _, height, width), far = x.shape, self.padding
        padded = np.pad(x, ((0, 0), (0, 0), (far, far), (far, far)), _NUMPY_MODES[self.padding_mode])
        top, left = rng.integers(0, 2 * far + 1, (2, n))
        windows = sliding_window_view(padded, (height, width), axis=(2, 3))  # (N, C, 2 far + 1, 2 far + 1, H, W)
        return windows[np.arange(n), :, top, left], targets


class Crop(_Window):
    """Pixels are added all around; then a window of the picture's own size is cut out anywhere."""

    type: Literal["crop"] = "crop"
    padding: int = Field(4, ge=0, le=4096, description="pixels added on each side")


class Shift(_Window):
    """The picture moved by whole pixels: the same as `crop`."""

    type: Literal["shift"] = "shift"
    padding: int = Field(2, ge=0, le=4096, description="pixels by which it moves at most, in each direction")
