"""Where a gradient is wrong, found by moving parts of the tensor alone: filters, taps, the border, one element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck import verdicts
from cnncli.inspection.gradcheck.diagnosis.factors import factor
from cnncli.inspection.gradcheck.diagnosis.fit import dot
from cnncli.inspection.gradcheck.diagnosis.words import axes_of, listed
from cnncli.inspection.gradcheck.examination import ONE_SIDED, Examination, Trial
from cnncli.inspection.gradcheck.functions import Function, is_input
from cnncli.inspection.gradcheck.sampling import dense, single
from cnncli.inspection.gradcheck.verdicts import Verdict

Array = NDArray[Any]

LOOKS = 64
"""So many parts of an axis are looked at, at most."""
WIDEST_BORDER = 3


def located(examination: Examination[Function]) -> str | None:
    """What holds everything that is wrong, and by which factor it is wrong there; None if that is everywhere."""
    slices = [_wrong_slices(examination, axis) for axis in range(examination.gradient.ndim)]
    if any(slices):
        mask = _crossing(examination.gradient.shape, slices)
        return f"only {_in_words(examination, slices)}{_factor_within(examination, mask)}"
    for width, mask in _borders(examination):
        if _is_wrong(examination, mask) and not _is_wrong(examination, ~mask):
            where = "the border pixels" if width == 1 else f"the pixels within {width} of the border"
            return f"only {where}{_factor_within(examination, mask)}"
    return None


def _is_wrong(examination: Examination[Function], mask: Array) -> bool:
    return examination.is_wrong(dense(mask, examination.rng).direction)


def _wrong_slices(examination: Examination[Function], axis: int) -> list[int]:
    """Indices along an axis, found by halving; none if they are all, or too many."""
    size = examination.gradient.shape[axis]

    def fails(start: int, stop: int) -> bool:
        mask = np.zeros(examination.gradient.shape, np.bool_)
        np.moveaxis(mask, axis, 0)[start:stop] = True
        return _is_wrong(examination, mask)

    if size > 4 and all(fails(place, place + 1) for place in examination.rng.permutation(size)[:4].tolist()):
        return []
    wrong, pending, looks = [], [(0, size)], 0
    while pending:
        start, stop = pending.pop()
        looks += 1
        if looks > LOOKS:
            return []
        if not fails(start, stop):
            continue
        if stop - start == 1:
            wrong.append(start)
        else:
            middle = (start + stop) // 2
            pending += [(middle, stop), (start, middle)]
    return wrong if len(wrong) < size else []


def _crossing(shape: tuple[int, ...], slices: Sequence[Sequence[int]]) -> Array:
    """True where an element lies within the slices of every axis that has some."""
    mask = np.zeros(shape, np.bool_)
    mask[np.ix_(*(places or range(size) for places, size in zip(slices, shape, strict=True)))] = True
    return mask


def _borders(examination: Examination[Function]) -> Iterator[tuple[int, Array]]:
    """Frames around a picture, ever wider."""
    shape = examination.gradient.shape
    if len(shape) != 4 or not is_input(examination.name):
        return
    for width in range(1, min(WIDEST_BORDER, (min(shape[2:]) - 1) // 2) + 1):
        mask = np.ones(shape, np.bool_)
        mask[..., width:-width, width:-width] = False
        yield width, mask


def _in_words(examination: Examination[Function], slices: Sequence[Sequence[int]]) -> str:
    """filter 5, input channel 3, tap [2, 1]."""
    names, shape = axes_of(examination), examination.gradient.shape
    what = "tap" if "input channel" in names else "pixel"
    given = {name: places for name, places, size in zip(names, slices, shape, strict=True) if places and size > 1}
    rows, columns = given.pop("row", []), given.pop("column", [])
    parts = [f"{name}{'s' * (len(places) > 1)} {listed(places)}" for name, places in given.items()]
    if len(rows) == len(columns) == 1:
        parts.append(f"the {what} [{rows[0]}, {columns[0]}]")
    else:
        places = [
            f"{name}{'s' * (len(found) > 1)} {listed(found)}"
            for name, found in (("row", rows), ("column", columns))
            if found
        ]
        parts += [f"the {what}s in {' and '.join(places)}"] if places else []
    return ", ".join(parts)


def _factor_within(examination: Examination[Function], mask: Array) -> str:
    """ ": there it is twice the true gradient"; of one element alone only a factor that says something."""
    pairs = []
    for _ in range(4):
        direction = dense(mask, examination.rng).direction
        pairs.append((dot(examination.gradient, direction), examination.slope(direction)))
    found = factor(pairs, examination.function.counts, alone=int(mask.sum()) == 1)
    return f": there it is {found}" if found else ""


def worst(examination: Examination[Function], trials: Sequence[Trial]) -> Trial | None:
    """The worst single element that was looked at; where directions alone failed, it is searched for."""
    alone = [trial for trial in trials if trial.probe.index is not None]
    failed = [trial for trial in alone if trial.verdict is Verdict.FAIL]
    if failed:
        return max(failed, key=lambda trial: abs(trial.analytic - trial.numeric))
    for trial in trials:
        if trial.verdict is Verdict.FAIL and trial.oracle != ONE_SIDED:
            return _searched(examination, trial)
    return max(alone, key=lambda trial: trial.error, default=None)


def _searched(examination: Examination[Function], failed: Trial) -> Trial:
    """Halves a failing direction until one element is left."""
    direction = failed.probe.direction
    places = np.flatnonzero(direction)
    while len(places) > 1:
        half = places[: len(places) // 2]
        part = np.zeros_like(direction)
        part.flat[half] = direction.flat[half]
        places = half if examination.is_wrong(part) else places[len(places) // 2 :]
    index = tuple(int(i) for i in np.unravel_index(places[0], direction.shape))
    probe = single(index, direction.shape)
    analytic, numeric = float(examination.gradient[index]), examination.slope(probe.direction)
    error = verdicts.relative_error(analytic, numeric)
    return Trial(probe, Verdict.FAIL, analytic, numeric, error, failed.oracle)
