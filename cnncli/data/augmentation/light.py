"""Brightness and contrast, by the formulas of torchvision's ColorJitter."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from cnncli.data.augmentation.augmentation import Array, Augmentation, ascending

_Factor = Annotated[float, Field(ge=0, le=100)]
Factors = Annotated[tuple[_Factor, _Factor], AfterValidator(ascending)]

_LUMA = np.array([0.2989, 0.587, 0.114], np.float32).reshape(3, 1, 1)
"""How bright red, green and blue look, as torchvision has it (ITU-R BT.601)."""


class Brightness(Augmentation):
    """factor * x."""

    type: Literal["brightness"] = "brightness"

    factor: Factors = Field((0.8, 1.2), description="from the first to the second: 0 is black, 1 changes nothing")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        x *= _drawn(self.factor, x, rng)
        return x, targets


class Contrast(Augmentation):
    """factor * x + (1 - factor) * mean, the mean being that of the grey picture."""

    type: Literal["contrast"] = "contrast"

    factor: Factors = Field((0.8, 1.2), description="from the first to the second: 0 is grey, 1 changes nothing")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        grey = (x * _LUMA).sum(axis=1, keepdims=True) if x.shape[1] == 3 else x
        factor = _drawn(self.factor, x, rng)
        mean = grey.mean(axis=(1, 2, 3), keepdims=True)
        x *= factor
        x += (1 - factor) * mean
        return x, targets


def _drawn(factors: tuple[float, float], x: Array, rng: np.random.Generator) -> NDArray[np.float32]:
    """A factor for every sample, (N, 1, 1, 1)."""
    return rng.uniform(*factors, len(x)).astype(np.float32).reshape(-1, 1, 1, 1)
