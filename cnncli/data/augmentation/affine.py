"""Pictures turned, scaled, moved and sheared about their centre."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from cnncli.data.augmentation.augmentation import Array, Augmentation, ascending
from cnncli.data.augmentation.warp import warp

_Scale = Annotated[float, Field(ge=0.01, le=100)]
Scales = Annotated[tuple[_Scale, _Scale], AfterValidator(ascending)]


class Affine(Augmentation):
    """Turned, scaled, sheared and moved, each at random; a number of 0, or a scale of [1, 1], leaves a part out."""

    type: Literal["affine"] = "affine"

    degrees: float = Field(10.0, ge=0, le=180, description="turned by up to so much, either way")
    scale: Scales = Field((0.9, 1.1), description="enlarged by a factor from the first to the second, as [0.9, 1.1]")
    translate: float = Field(
        0.1, ge=0, le=1, description="moved by up to such a share of the height, and of the width, either way"
    )
    shear: float = Field(0.0, ge=0, le=80, description="rows slanted against each other by up to so many degrees")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        n = len(x)
        turn, slant = np.deg2rad(rng.uniform(-1, 1, (2, n)) * [[self.degrees], [self.shear]])
        low, high = np.log(self.scale)
        scale = np.exp(rng.uniform(low, high, n))  # half as large is as likely as twice as large
        moved = rng.uniform(-self.translate, self.translate, (n, 2)) * x.shape[2:]
        to_source = inverse(turn, scale, slant)
        return warp(x, to_source, -(to_source @ moved[:, :, None])[:, :, 0]), targets


def inverse(turn: NDArray[np.float64], scale: NDArray[np.float64], slant: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2, 2): from (row, column) of the result to that of the picture, both from the centre; angles in radians.

    The picture is sheared along its rows, then scaled, then turned counter-clockwise.
    """
    cos, sin = np.cos(turn), np.sin(turn)
    turned_back = np.stack([cos, sin, -sin, cos], -1).reshape(-1, 2, 2)
    one, zero = np.ones_like(slant), np.zeros_like(slant)
    upright = np.stack([one, zero, np.tan(slant), one], -1).reshape(-1, 2, 2)
    back: NDArray[np.float64] = upright @ turned_back / scale[:, None, None]
    return back


class Rotate(Augmentation):
    """Turned about the centre."""

    type: Literal["rotate"] = "rotate"

    degrees: float = Field(10.0, ge=0, le=180, description="turned by up to so much, either way")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        return Affine(degrees=self.degrees, scale=(1, 1), translate=0).apply(x, targets, rng)


class Scale(Augmentation):
    """Enlarged or made smaller about the centre."""

    type: Literal["scale"] = "scale"

    factor: Scales = Field((0.9, 1.1), description="from the first factor to the second, as [0.9, 1.1]")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        return Affine(degrees=0, scale=self.factor, translate=0).apply(x, targets, rng)
