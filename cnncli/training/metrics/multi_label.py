"""Several labels for each sample, each of which is there or not; with one label, two classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.training.metrics.metric import Metric, mean
from cnncli.training.metrics.per_class import counts, f1s, precisions, recalls

Array = NDArray[Any]


def _said_and_true(output: Array, targets: Array) -> tuple[Array, Array]:
    """Booleans, each (n, *shape): the logit says more likely than not, and the label is there."""
    return output > 0, targets.reshape(output.shape) > 0.5


def _labels_right(output: Array, targets: Array) -> Array:
    """(n, k)."""
    said, true = _said_and_true(output, targets)
    return np.asarray(said == true).reshape(len(output), -1)


def _right(output: Array, targets: Array) -> Array:
    return np.array([_labels_right(output, targets).mean(axis=1).sum()])


def _exact_matches(output: Array, targets: Array) -> Array:
    return np.array([np.count_nonzero(_labels_right(output, targets).all(axis=1))], np.float64)


def label_counts(output: Array, targets: Array) -> Array:
    """(3 * K,): see per_class; every position counts."""
    said, true = _said_and_true(output, targets)
    axes = tuple(axis for axis in range(output.ndim) if axis != 1)
    return counts(*(np.count_nonzero(which, axis=axes) for which in (said & true, true, said)))


def _macro(of_labels: Callable[[Array], Array]) -> Callable[[Array, int], float]:
    """The plain mean over the labels."""
    return lambda sums, samples: float(of_labels(sums).mean())


ACCURACY = Metric("accuracy", _right, mean, is_share=True)
EXACT_MATCH = Metric("exact_match", _exact_matches, mean, is_share=True)
METRICS = (
    ACCURACY,
    EXACT_MATCH,
    Metric("precision", label_counts, _macro(precisions), is_share=True),
    Metric("recall", label_counts, _macro(recalls), is_share=True),
    Metric("f1", label_counts, _macro(f1s), is_share=True),
)
