"""What may be wrong with a gradient that failed: hypotheses, and where it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.gradcheck import verdicts
from cnncli.inspection.gradcheck.examination import ONE_SIDED, Examination, Trial
from cnncli.inspection.gradcheck.report import Verdict
from cnncli.inspection.gradcheck.sampling import dense, single

Array = NDArray[Any]

FIT = 1e-6
FEW = 64
"""So many elements or slices are looked at one by one."""


def explain(examination: Examination, trials: Sequence[Trial], samples: int) -> str:
    """The first hypothesis that accounts for all that was measured, else the place of the error."""
    if all(trial.oracle == ONE_SIDED for trial in trials if trial.verdict is Verdict.FAIL):
        return "it is not between the slopes to the left and to the right of a corner"
    measured = [trial for trial in trials if trial.oracle != ONE_SIDED]
    return (
        factor(measured, samples)
        or _arrangement(examination)
        or _permutation(examination)
        or _branch(examination)
        or _place(examination)
    )


def factor(trials: Sequence[Trial], samples: int) -> str | None:
    """A constant between what backward says and the truth."""
    analytic = np.array([trial.analytic for trial in trials])
    numeric = np.array([trial.numeric for trial in trials])
    largest = np.abs(numeric).max()
    if not largest:
        return None
    if not analytic.any():
        return "always 0: it is not computed"
    analytic, numeric = analytic / largest, numeric / largest
    ratio = float(analytic @ numeric / (numeric @ numeric))
    if _near(ratio, 1) or np.abs(analytic - ratio * numeric).max() > FIT * max(1, abs(ratio)):
        return None
    return _in_words(ratio, samples)


def _in_words(ratio: float, samples: int) -> str:
    plain = {
        -1.0: "its sign is wrong",
        2.0: "twice the true gradient",
        0.5: "half the true gradient",
    }
    means = {
        float(samples): f"the mean over the {samples} samples is missing",
        1 / samples: f"divided by the {samples} samples once too often",
    }
    first = next((text for value, text in plain.items() if _near(ratio, value)), f"{ratio:.6g} times the true gradient")
    second = next((text for value, text in means.items() if _near(ratio, value)), None)
    return f"{first}; perhaps {second}" if second else first


def _near(ratio: float, value: float) -> bool:
    return abs(ratio / value - 1) < FIT


def _arrangement(examination: Examination) -> str | None:
    """The right numbers turned, mirrored, transposed or moved."""
    for text, candidate, support in _rearranged(examination.gradient, examination.name):
        directions = [dense(support, examination.rng).direction for _ in range(2)]
        if all(
            _fits(candidate, u, examination) and not _fits(examination.gradient, u, examination) for u in directions
        ):
            return text
    return None


def _fits(candidate: Array, direction: Array, examination: Examination) -> bool:
    true = examination.slope(direction)
    return abs(float((candidate * direction).sum()) - true) <= FIT * abs(true)


def _rearranged(gradient: Array, name: str) -> Iterator[tuple[str, Array, Array]]:
    """What backward may have done, what the true gradient would then be, and where that can be told."""
    everywhere = np.ones(gradient.shape, np.bool_)
    if gradient.ndim >= 2 and gradient.shape[0] == gradient.shape[1]:
        yield "transposed: the first two axes are exchanged", gradient.swapaxes(0, 1), everywhere
    if gradient.ndim != 4:
        return
    what = "picture" if name.startswith(INPUT) else "kernel"
    if gradient.shape[-1] == gradient.shape[-2]:
        text = f"the {what} is transposed: height and width are exchanged"
        yield text, gradient.swapaxes(-1, -2), everywhere
    yield f"the {what} is flipped, top to bottom and left to right", gradient[..., ::-1, ::-1], everywhere
    yield f"the {what} is flipped top to bottom", gradient[..., ::-1, :], everywhere
    yield f"the {what} is flipped left to right", gradient[..., ::-1], everywhere
    if what == "picture":
        yield from _moved(gradient)


def _moved(gradient: Array) -> Iterator[tuple[str, Array, Array]]:
    """The same for pictures that are in the wrong place."""
    if min(gradient.shape[2:]) > 2:
        inner = np.zeros(gradient.shape, np.bool_)
        inner[..., 1:-1, 1:-1] = True
        for text, axis, by in (("down", -2, 1), ("up", -2, -1), ("to the right", -1, 1), ("to the left", -1, -1)):
            yield f"everything is one position too far {text}", np.roll(gradient, -by, axis), inner
    for stride in (2, 3):
        apart = np.zeros(gradient.shape, np.bool_)
        apart[..., ::stride, ::stride] = True
        rows, columns = (-(-size // stride) for size in gradient.shape[2:])
        spread = np.zeros(gradient.shape)
        spread[..., ::stride, ::stride] = gradient[..., :rows, :columns]
        yield f"as if the stride were 1 and not {stride}", spread, apart


def _permutation(examination: Examination) -> str | None:
    gradient = examination.gradient
    if gradient.size > FEW:
        return None
    places = [tuple(map(int, place)) for place in np.ndindex(gradient.shape)]
    true = np.array([examination.slope(single(place, gradient.shape).direction) for place in places])
    largest = np.abs(true).max()
    if np.allclose(np.sort(true), np.sort(gradient.ravel()), rtol=0, atol=FIT * largest):
        return "the right numbers, but in the wrong places"
    wrong = [place for place, value in zip(places, true, strict=True) if abs(value - gradient[place]) > FIT * largest]
    if 0 < len(wrong) <= min(4, gradient.size // 2):
        return f"wrong only at {', '.join(str(list(place)) for place in wrong)}"
    return None


def _branch(examination: Examination) -> str | None:
    """Wrong on one branch of a function that works element by element."""
    shape = examination.gradient.shape
    for branches in examination.subject.base.branches.values():
        taken = np.moveaxis(branches, -1, 0)
        values = np.unique(taken)
        if taken.shape != shape or not 1 < len(values) <= FEW:
            continue
        wrong = [value for value in values if _fails_within(examination, taken == value)]
        if len(wrong) == 1:
            return f"wrong only where the function takes branch {int(wrong[0])} (a rectifier's branch 0 is x <= 0)"
    return None


def _fails_within(examination: Examination, mask: Array) -> bool:
    return examination.is_wrong(dense(mask, examination.rng).direction)


def _place(examination: Examination) -> str:
    """The slices that hold everything that is wrong."""
    shape = examination.gradient.shape
    parts = []
    for axis, size in enumerate(shape):
        wrong = _wrong_slices(examination, axis)
        everywhere = wrong is None or len(wrong) in (0, size)
        parts.append(":" if wrong is None or everywhere else "|".join(map(str, wrong)))
    if set(parts) == {":"}:
        return "wrong almost everywhere, by no simple rule"
    return f"wrong only at [{', '.join(parts)}]"


def _wrong_slices(examination: Examination, axis: int) -> list[int] | None:
    """Indices along an axis, found by halving; None if they are many."""
    size = examination.gradient.shape[axis]

    def fails(start: int, stop: int) -> bool:
        mask = np.zeros(examination.gradient.shape, np.bool_)
        np.moveaxis(mask, axis, 0)[start:stop] = True
        return _fails_within(examination, mask)

    if size > 4 and all(fails(i, i + 1) for i in examination.rng.permutation(size)[:4].tolist()):
        return None
    wrong, pending, looks = [], [(0, size)], 0
    while pending:
        start, stop = pending.pop()
        looks += 1
        if looks > FEW:
            return None
        if not fails(start, stop):
            continue
        if stop - start == 1:
            wrong.append(start)
        else:
            middle = (start + stop) // 2
            pending += [(middle, stop), (start, middle)]
    return wrong


def worst(examination: Examination, trials: Sequence[Trial]) -> Trial | None:
    """The worst single element that was looked at; where directions alone failed, it is searched for."""
    alone = [trial for trial in trials if trial.probe.index is not None]
    failed = [trial for trial in alone if trial.verdict is Verdict.FAIL]
    if failed:
        return max(failed, key=lambda trial: abs(trial.analytic - trial.numeric))
    for trial in trials:
        if trial.verdict is Verdict.FAIL and trial.oracle != ONE_SIDED:
            return _searched(examination, trial)
    return max(alone, key=lambda trial: trial.error, default=None)


def _searched(examination: Examination, failed: Trial) -> Trial:
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
