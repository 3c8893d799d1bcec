"""The most probable classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class ClassScore:
    """One class and how probable the network finds it."""

    class_: int
    name: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one input."""

    input: str
    top: tuple[ClassScore, ...]


def top_classes(probabilities: Array, names: Sequence[str] | None, count: int = 5) -> tuple[ClassScore, ...]:
    """The `count` largest of (K,), in falling order; classes without a name are called by their number."""
    order = np.argsort(-probabilities, kind="stable")[:count].tolist()
    return tuple(ClassScore(k, names[k] if names else str(k), float(probabilities[k])) for k in order)
