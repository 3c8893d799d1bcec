"""The right numbers in the wrong places: turned, mirrored, transposed, moved, exchanged.

Each hypothesis undoes what backward may have done, and looks whether that gives the true gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.diagnosis.factors import FIT
from cnncli.inspection.gradcheck.diagnosis.fit import is_true
from cnncli.inspection.gradcheck.diagnosis.words import axes_of, listed
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.subjects import LayerSubject, is_input

Array = NDArray[Any]

FEW = 64
"""So many slices are looked at one by one."""
DIRECTIONS = (("down", -2, 1), ("up", -2, -1), ("to the right", -1, 1), ("to the left", -1, -1))


def rearranged(examination: Examination) -> str | None:
    """Flipped or transposed."""
    candidates = _flipped_or_transposed(examination.gradient, examination.name)
    return next((text for text, candidate in candidates if is_true(examination, candidate)), None)


def _flipped_or_transposed(gradient: Array, name: str) -> Iterator[tuple[str, Array]]:
    """What backward may have done, and what the true gradient would then be."""
    picture = is_input(name)
    if gradient.ndim >= 2 and gradient.shape[0] == gradient.shape[1]:
        what = "samples and channels" if picture else "outputs and inputs"
        yield f"transposed: {what} are exchanged", gradient.swapaxes(0, 1)
    if gradient.ndim != 4:
        return
    what = "picture" if picture else "kernel"
    yield f"the {what} is flipped, top to bottom and left to right", gradient[..., ::-1, ::-1]
    yield f"the {what} is flipped top to bottom", gradient[..., ::-1, :]
    yield f"the {what} is flipped left to right", gradient[..., ::-1]
    if gradient.shape[-1] == gradient.shape[-2]:
        yield f"the {what} is transposed: height and width are exchanged", gradient.swapaxes(-1, -2)


def moved(examination: Examination) -> str | None:
    """A picture that is in the wrong place. What it pushed over the border does not count."""
    gradient = examination.gradient
    if gradient.ndim != 4 or not is_input(examination.name) or min(gradient.shape[2:]) < 3:
        return None
    inner = np.zeros(gradient.shape, np.bool_)
    inner[..., 1:-1, 1:-1] = True
    for text, axis, by in DIRECTIONS:
        if is_true(examination, np.roll(gradient, -by, axis), inner):
            if _picks_maximum(examination):
                return f"the gradient goes to the neighbour of the winner: one pixel too far {text}"
            return f"everything is one position too far {text}: is the padding right?"
    return None


def _picks_maximum(examination: Examination) -> bool:
    return isinstance(examination.subject, LayerSubject) and examination.subject.node.layer.picks_maximum


def shuffled(examination: Examination) -> str | None:
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
