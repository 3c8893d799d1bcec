"""The right numbers in the wrong places: turned, mirrored, transposed, moved, exchanged.

Each hypothesis undoes what backward may have done, and looks whether that gives the true gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.diagnosis.factors import FIT
from cnncli.inspection.gradcheck.diagnosis.fit import is_true
from cnncli.inspection.gradcheck.diagnosis.words import SIDES, axes_of, listed, turned
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import Function, is_input

Array = NDArray[Any]

FEW = 64
"""So many slices are looked at one by one."""


def rearranged(examination: Examination[Function]) -> str | None:
    """Flipped or transposed."""
    candidates = turned(examination.gradient, examination.name)
    return next((text for text, candidate in candidates if is_true(examination, candidate)), None)


def moved(examination: Examination[Function]) -> str | None:
    """A picture that is in the wrong place."""
    side = side_moved_to(examination)
    return None if side is None else f"everything is one position too far {side}: is the padding right?"


def side_moved_to(examination: Examination[Function]) -> str | None:
    """To which side a picture is moved by one position, if it is. What it pushed over the border does not count."""
    gradient = examination.gradient
    if gradient.ndim != 4 or not is_input(examination.name) or min(gradient.shape[2:]) < 3:
        return None
    inner = np.zeros(gradient.shape, np.bool_)
    inner[..., 1:-1, 1:-1] = True
    candidates = ((side, np.roll(gradient, (-row, -column), (-2, -1))) for side, (row, column) in SIDES)
    return next((side for side, candidate in candidates if is_true(examination, candidate, inner)), None)


def shuffled(examination: Examination[Function]) -> str | None:
    """Slices along one axis that are in another order: filters, channels, samples. They are told apart by their
    product with the same random numbers."""
    gradient = examination.gradient
    for axis, name in enumerate(axes_of(examination)):
        size = gradient.shape[axis]
        if not 1 < size <= FEW:
            continue
        probe = examination.rng.normal(size=gradient.shape[:axis] + gradient.shape[axis + 1 :])
        claimed = np.tensordot(np.moveaxis(gradient, axis, 0), probe, probe.ndim)
        true = np.empty(size)
        for place in range(size):
            direction = np.zeros(gradient.shape)
            np.moveaxis(direction, axis, 0)[place] = probe
            true[place] = examination.slope(direction)
        text = _order(claimed, true, name)
        if text:
            return text
    return None


def _order(claimed: Array, true: Array, name: str) -> str | None:
    """In words how the numbers were exchanged, if they were and nothing else was done to them."""
    slack = FIT * np.abs(true).max()
    if not np.allclose(np.sort(claimed), np.sort(true), rtol=0, atol=slack):
        return None
    wrong = np.flatnonzero(np.abs(claimed - true) > slack).tolist()
    if not wrong:
        return None
    if len(wrong) == 2:
        return f"the {name}s {wrong[0]} and {wrong[1]} are exchanged"
    if np.allclose(claimed[::-1], true, rtol=0, atol=slack):
        return f"the {name}s are in reverse order"
    return f"the {name}s are in the wrong order: {listed(wrong)}"
