"""What an augmentation is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from cnncli.errors import DataError

Array = NDArray[Any]
Shape = tuple[int, ...]

_PICTURES, _SIGNALS = "pictures (C, H, W)", "signals (C, L)"
_NEEDS = {3: _PICTURES, 2: f"{_PICTURES} or {_SIGNALS}"}


class Augmentation(BaseModel):
    """One kind of random change; its fields are its options in YAML, beside `type`, its name."""

    # Deferred, since most trainings use none, and building a schema takes milliseconds.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    type: str

    axes: ClassVar[int] = 3
    """How many axes a sample needs at least: 3 for pictures, 2 for signals, 1 for any numbers."""
    mixes: ClassVar[bool] = False
    """Whether samples are mixed with one another, and their targets too."""

    def check(self, shape: Shape) -> None:
        """Raises DataError where samples of this shape cannot be changed so."""
        if len(shape) < self.axes:
            raise DataError(
                f"data.augment: {self.type} changes {_NEEDS[self.axes]}, but the shape of a sample is {list(shape)}; "
                "remove it"
            )

    def apply(self, x: Array, targets: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """The batch changed: x (N, *shape) float32 before normalisation, bytes having become 0..1, and the targets.

        What is given may be written over. Every sample is changed in its own way, all drawn from `rng`. Kinds that
        mix take targets that are numbers, as (N, K) shares of the classes. Numbers may leave 0..1: the loader of
        bytes clips them at the end.
        """
        raise NotImplementedError


def ascending(interval: tuple[float, float]) -> tuple[float, float]:
    """The two numbers, if the first is not larger; else ValueError."""
    if interval[0] > interval[1]:
        raise ValueError(f"expected the smaller number first, but got [{interval[0]:g}, {interval[1]:g}]")
    return interval
