"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

EXAMPLES = 3
"""Samples that are named for each pair of classes."""


@dataclass(frozen=True)
class ClassQuality:
    """One class; None stands for 0 / 0."""

    class_: int
    name: str
    true: int
    """How many there are."""
    predicted: int
    """How many the network says there are."""
    right: int
    precision: float | None
    """right / predicted: how many of those that it calls so are so."""
    recall: float | None
    """right / true: how many of those that are so it calls so."""
    f1: float | None
    """2 right / (true + predicted), the harmonic mean of both."""


@dataclass(frozen=True)
class Confused:
    """One class taken for another."""

    true: str
    predicted: str
    count: int
    share: float
    """Of all that are truly so."""
    examples: tuple[str, ...]
    """Some of these samples, as --input takes them."""


@dataclass(frozen=True)
class ConfusionView:
    """How often the samples of one class were taken for another."""

    samples: str
    """Which they are: "test"."""
    counted: int
    """How many answers there are: samples, or positions where the network answers for each."""
    accuracy: float
    classes: tuple[ClassQuality, ...]
    matrix: tuple[tuple[int, ...], ...]
    """[true][predicted]."""
    pairs: tuple[Confused, ...]
    """The most confused, the most frequent first."""
    nonfinite: int
    """Answers that are made of NaN or infinity."""


class Tally:
    """Counts answers, batch by batch."""

    def __init__(self, classes: int) -> None:
        self.matrix = np.zeros((classes, classes), np.int64)  # [true, predicted]
        self.examples: dict[tuple[int, int], list[int]] = {}

    def add(self, indices: NDArray[np.int64], true: Array, predicted: Array) -> None:
        """Of the samples `indices` (n,), class numbers (n, *positions)."""
        classes = len(self.matrix)
        pairs = (true * classes + predicted).reshape(len(indices), -1)  # (n, positions)
        self.matrix += np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)
        rows, positions = np.nonzero(true.reshape(pairs.shape) != predicted.reshape(pairs.shape))
        for row, pair in np.unique(np.stack([rows, pairs[rows, positions]], axis=1), axis=0).tolist():
            examples = self.examples.setdefault(divmod(pair, classes), [])
            if len(examples) < EXAMPLES:
                examples.append(int(indices[row]))

    def view(
        self,
        samples: str,
        name: Callable[[int], str],
        names: Sequence[str] | None = None,
        *,
        top: int = 10,
        nonfinite: int = 0,
    ) -> ConfusionView:
        """With the `top` most confused pairs; `name` gives a sample's name, `names` are those of the classes."""
        labels = names or [str(index) for index in range(len(self.matrix))]
        counted = int(self.matrix.sum())
        return ConfusionView(
            samples=samples,
            counted=counted,
            accuracy=int(self.matrix.trace()) / counted,
            classes=tuple(self._quality(index, label) for index, label in enumerate(labels)),
            matrix=tuple(map(tuple, self.matrix.tolist())),
            pairs=tuple(self._confused(pair, labels, name) for pair in self._most_confused(top)),
            nonfinite=nonfinite,
        )

    def _quality(self, index: int, name: str) -> ClassQuality:
        true, predicted = int(self.matrix[index].sum()), int(self.matrix[:, index].sum())
        right = int(self.matrix[index, index])
        return ClassQuality(
            index,
            name,
            true,
            predicted,
            right,
            precision=_ratio(right, predicted),
            recall=_ratio(right, true),
            f1=_ratio(2 * right, true + predicted),
        )

    def _most_confused(self, count: int) -> list[tuple[int, int]]:
        """The pairs of different classes that occur, the most frequent first; equal ones in their order."""
        wrong = self.matrix * ~np.eye(len(self.matrix), dtype=bool)
        order = np.argsort(-wrong, axis=None, kind="stable")[: min(count, np.count_nonzero(wrong))]
        return [divmod(place, len(wrong)) for place in order.tolist()]

    def _confused(self, pair: tuple[int, int], names: Sequence[str], name: Callable[[int], str]) -> Confused:
        true, predicted = pair
        count = int(self.matrix[pair])
        examples = tuple(name(index) for index in self.examples[pair])
        return Confused(names[true], names[predicted], count, count / int(self.matrix[true].sum()), examples)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
