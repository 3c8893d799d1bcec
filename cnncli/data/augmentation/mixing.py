"""Samples mixed in pairs, and their targets in the same proportion."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cnncli.data.augmentation.augmentation import Array, Augmentation
from cnncli.data.augmentation.rectangle import inside


class Mixup(Augmentation):
    """share * x_i + (1 - share) * x_j, the share from Beta(alpha, alpha) (Zhang et al. 2018, "mixup", section 2)."""

    type: Literal["mixup"] = "mixup"
    axes: ClassVar[int] = 1
    mixes: ClassVar[bool] = True

    alpha: float = Field(0.2, ge=0.01, le=100, description="the larger, the more of both samples is there")
    p: float = Field(1.0, ge=0, le=1, description="share of the samples that are mixed")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        share, partner = _drawn(self.alpha, self.p, len(x), rng)
        return _blend(x, x[partner], share), _mixed(targets, share, partner)


class CutMix(Augmentation):
    """A rectangle of x_i is that of x_j; the share is the area that is left (Yun et al. 2019, "CutMix")."""

    type: Literal["cutmix"] = "cutmix"
    mixes: ClassVar[bool] = True

    alpha: float = Field(1.0, ge=0.01, le=100, description="of Beta(alpha, alpha), from which the areas are drawn")
    p: float = Field(1.0, ge=0, le=1, description="share of the samples that are mixed")

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        share, partner = _drawn(self.alpha, self.p, len(x), rng)
        sides = np.array(x.shape[2:])
        half = np.sqrt(1 - share)[:, None] * sides / 2
        centre = rng.uniform(0, sides, (len(x), 2))
        start, stop = (np.rint(centre - half).astype(np.int64), np.rint(centre + half).astype(np.int64))
        cut = inside(x.shape, start, stop)
        left = 1 - cut.mean(axis=(1, 2, 3))  # of a rectangle at the edge a part is outside
        return np.where(cut, x[partner], x), _mixed(targets, left, partner)


def _drawn(alpha: float, p: float, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How much of each sample remains, (N,), and which one the rest is from, (N,)."""
    share = np.where(rng.random(n) < p, rng.beta(alpha, alpha, n), 1)
    return share, rng.permutation(n)


def _mixed(targets: Array, share: NDArray[np.float64], partner: NDArray[np.int64]) -> Array:
    """The targets, (N, ...), as float32."""
    numbers = targets.astype(np.float32)
    return _blend(numbers, numbers[partner], share)


def _blend(first: Array, second: Array, share: NDArray[np.float64]) -> Array:
    """share * first + (1 - share) * second; where the share is 1, or both are the same, the first to the bit."""
    rest = (1 - share).astype(first.dtype).reshape(-1, *[1] * (first.ndim - 1))
    second -= first
    second *= rest
    second += first
    return second
