"""What the sums of a whole split say of each class, each label or each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.training.metrics.per_class import f1s, precisions, recalls
from cnncli.training.metrics.regression import maes, r2s, rmses
from cnncli.training.metrics.scores import Totals

Array = NDArray[Any]


@dataclass(frozen=True)
class ClassScores:
    """Of one class, or one label; 0 / 0 is 0."""

    class_: int
    name: str
    precision: float  # of the samples that are taken for it, the share that are right
    recall: float  # of its samples, the share that are found
    f1: float  # the harmonic mean of both
    support: int  # how many of its samples there are
    predicted: int  # how many are taken for it


@dataclass(frozen=True)
class OutputScores:
    """Of one output of a regression."""

    output: int
    mae: float
    rmse: float
    r2: float


def class_scores(totals: Totals, names: Sequence[str] | None) -> tuple[ClassScores, ...]:
    """Of every class or label, in order, called by its number where there are not as many names. Two names for one
    label are those of two classes. Empty for a task that knows neither, or if F1 was not measured."""
    if "f1" not in totals.sums:
        return ()
    sums = totals.sums["f1"]
    if names is not None and len(names) == 2 and len(sums) == 3:
        sums = _both_classes(sums, totals.samples)
    count = len(sums) // 3
    called = names if names is not None and len(names) == count else [str(index) for index in range(count)]
    _, true, predicted = sums.reshape(3, -1).astype(np.int64).tolist()
    shares = (precisions(sums).tolist(), recalls(sums).tolist(), f1s(sums).tolist())
    return tuple(map(ClassScores, range(count), called, *shares, true, predicted))


def output_scores(totals: Totals) -> tuple[OutputScores, ...]:
    """Of every output, in order; empty for a task that is no regression."""
    if totals.task.name != "regression":
        return ()
    sums, samples = totals.sums, totals.samples
    columns = (maes(sums["mae"], samples), rmses(sums["rmse"], samples), r2s(sums["r2"], samples))
    return tuple(map(OutputScores, range(len(sums["mae"])), *(column.tolist() for column in columns)))


def _both_classes(sums: Array, samples: int) -> Array:
    """(6,): the counts of the first class beside those of the second, which are (3,)."""
    right, true, predicted = sums
    neither = samples - true - predicted + right
    return np.array([neither, right, samples - true, true, samples - predicted, predicted])
