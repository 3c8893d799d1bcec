"""Noise."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from cnncli.data.augmentation.augmentation import Array, Augmentation


class Noise(Augmentation):
    """A random number is added to each: Gaussian, around 0."""

    type: Literal["noise"] = "noise"
    axes: ClassVar[int] = 1

    std: float = Field(0.05, ge=0, le=1e6, description="standard deviation; the brightest pixel is 1")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        noise = rng.standard_normal(x.shape, np.float32)
        noise *= self.std
        noise += x
        return noise, targets
