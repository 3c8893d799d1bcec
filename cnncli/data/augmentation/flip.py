"""Mirror images."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from cnncli.data.augmentation.augmentation import Array, Augmentation


class HorizontalFlip(Augmentation):
    """Left and right exchanged; of a signal, its beginning and its end."""

    type: Literal["horizontal_flip"] = "horizontal_flip"
    axes: ClassVar[int] = 2

    p: float = Field(0.5, ge=0, le=1, description="share of the samples that are flipped")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        chosen = rng.random(len(x)) < self.p
        x[chosen] = x[chosen, ..., ::-1]
        return x, targets


class VerticalFlip(Augmentation):
    """Top and bottom exchanged."""

    type: Literal["vertical_flip"] = "vertical_flip"

    p: float = Field(0.5, ge=0, le=1, description="share of the samples that are flipped")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        chosen = rng.random(len(x)) < self.p
        x[chosen] = x[chosen, :, ::-1]
        return x, targets
