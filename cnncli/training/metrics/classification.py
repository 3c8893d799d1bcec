"""One class for each sample, or for each position of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.losses import class_numbers
from cnncli.training.metrics.metric import Metric, mean
from cnncli.training.metrics.per_class import counts, f1s, occurring, precisions, recalls

Array = NDArray[Any]


def _right(output: Array, targets: Array) -> Array:
    """The largest output is at the class that is the target (or has its largest share); positions are averaged."""
    right = (output.argmax(axis=1) == class_numbers(targets, output.shape[1:])).reshape(len(output), -1)
    return np.array([right.mean(axis=1).sum()])


def _among_the_first(k: int, output: Array, targets: Array) -> Array:
    """Fewer than k outputs are above the target's; of equal ones the first is the higher, as for argmax."""
    true = np.expand_dims(class_numbers(targets, output.shape[1:]), 1)  # (n, 1, *positions)
    own = np.take_along_axis(output, true, axis=1)
    classes = np.arange(output.shape[1]).reshape(1, -1, *(1,) * (output.ndim - 2))
    above = ~(output <= own) | ((output == own) & (classes < true))  # nan is above everything
    among = (np.count_nonzero(above, axis=1) < k).reshape(len(output), -1)
    return np.array([among.mean(axis=1).sum()])


def class_counts(output: Array, targets: Array) -> Array:
    """(3 * K,): see per_class; every position counts."""
    count = output.shape[1]
    true = class_numbers(targets, output.shape[1:]).ravel()
    predicted = output.argmax(axis=1).ravel()
    right = true[true == predicted]
    return counts(*(np.bincount(classes, minlength=count) for classes in (right, true, predicted)))


def _macro(of_classes: Callable[[Array], Array]) -> Callable[[Array, int], float]:
    """The plain mean over the classes that occur."""
    return lambda sums, samples: float(of_classes(sums)[occurring(sums)].mean())


def _balanced(sums: Array, samples: int) -> float:
    """The mean recall of the classes that are a target (Brodersen et al. 2010)."""
    _, true, _ = sums.reshape(3, -1)
    return float(recalls(sums)[true > 0].mean())


ACCURACY = Metric("accuracy", _right, mean, is_share=True)
METRICS = (
    ACCURACY,
    Metric("balanced_accuracy", class_counts, _balanced, is_share=True),
    Metric("precision", class_counts, _macro(precisions), is_share=True),
    Metric("recall", class_counts, _macro(recalls), is_share=True),
    Metric("f1", class_counts, _macro(f1s), is_share=True),
)


def top(k: int) -> Metric:
    """The share of the samples whose class is among the k most likely ones."""
    return Metric(f"top{k}", partial(_among_the_first, k), mean, is_share=True)
