"""Squares cut out (DeVries & Taylor 2017, "Improved regularization of convolutional neural networks with Cutout")."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from cnncli.data.augmentation.augmentation import Array, Augmentation
from cnncli.data.augmentation.rectangle import inside


class Cutout(Augmentation):
    """Squares of the picture become one value; their centres are anywhere, so that a part may lie outside."""

    type: Literal["cutout"] = "cutout"

    size: int = Field(8, ge=1, le=4096, description="side of a square, in pixels")
    holes: int = Field(1, ge=1, le=100, description="squares in one picture")
    value: float = Field(0.0, description="what they become; the brightest pixel is 1")
    p: float = Field(1.0, ge=0, le=1, description="share of the samples that get holes")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        chosen = (rng.random(len(x)) < self.p)[:, None, None, None]
        for _ in range(self.holes):
            centre = rng.integers(0, x.shape[2:], (len(x), 2))
            top_left = centre - self.size // 2
            np.copyto(x, np.float32(self.value), where=chosen & inside(x.shape, top_left, top_left + self.size))
        return x, targets
