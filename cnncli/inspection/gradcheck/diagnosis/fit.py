"""Whether backward computes what a hypothesis says, measured along random directions: a right guess fits all of them,
a wrong one none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.diagnosis.factors import FIT
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import Function
from cnncli.inspection.gradcheck.sampling import dense

Array = NDArray[Any]

LOOKS = 3
"""Along one direction a wrong guess fits by a chance of about `FIT`, but many are made; and one goes into a factor that
is not known before the others can confirm it."""


def computes(examination: Examination[Function], slope: Callable[[Array], float]) -> bool:
    """Whether backward's numbers are the slopes of another function, whose slope along a direction is given."""
    for _ in range(LOOKS):
        direction = dense(np.ones(examination.gradient.shape, np.bool_), examination.rng).direction
        claimed = dot(examination.gradient, direction)
        if not abs(claimed - slope(direction)) <= FIT * abs(claimed):
            return False
    return True


def is_true(examination: Examination[Function], candidate: Array, support: Array | None = None) -> bool:
    """Whether these numbers are the true gradient, where backward's own are not; as far as the support goes."""
    support = np.ones(candidate.shape, np.bool_) if support is None else support
    if not support.any():
        return False
    for _ in range(LOOKS):
        direction = dense(support, examination.rng).direction
        true = examination.slope(direction)
        if not abs(dot(candidate, direction) - true) <= FIT * abs(true):
            return False
        if abs(dot(examination.gradient, direction) - true) <= FIT * abs(true):
            return False
    return True


def equal(examination: Examination[Function], candidate: Array) -> bool:
    """Whether backward computes just these numbers, in the engine's layout: batch last."""
    gradient = batch_last(examination.gradient)
    return bool(np.abs(gradient - candidate).max(initial=0) <= FIT * np.abs(candidate).max(initial=0))


def batch_last(array: Array) -> Array:
    """(N, ...) to (..., N)."""
    return np.moveaxis(array, 0, -1)


def dot(a: Array, b: Array) -> float:
    """sum(a * b)."""
    return float((a * b).sum())
