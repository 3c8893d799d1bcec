"""A constant factor between what backward says and the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cnncli.inspection.gradcheck.verdicts import CENTRAL

FIT = CENTRAL.good
"""To this share two numbers are the same: as good as the slopes are where differences stand in for complex steps."""
PLAIN = {-1.0: "its sign is wrong", 2.0: "twice the true gradient", 0.5: "half the true gradient"}


def ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The constant r with claimed = r * true for all pairs (claimed, true); None where there is none."""
    if not pairs:
        return None
    claimed, true = np.array(pairs).T
    largest = np.abs(true).max()
    if not largest:
        return None
    claimed, true = claimed / largest, true / largest
    found = float(claimed @ true / (true @ true))
    return found if np.abs(claimed - found * true).max() <= FIT * max(1, abs(found)) else None


def factor(pairs: Sequence[tuple[float, float]], counted: Mapping[str, int], *, alone: bool = False) -> str | None:
    """The factor in words, for pairs (claimed, true); None where there is none, or it is 1.

    `counted` are the numbers of things that a mean may be taken over, by name. Of a single element, `alone`, any number
    is some multiple: only a factor that says something is told.
    """
    found = ratio(pairs)
    if found is None or _near(found, 1):
        return None
    if not found:
        return "always 0, as if it were never computed"
    plain = next((text for value, text in PLAIN.items() if _near(found, value)), None)
    cause = _cause(found, counted)
    if alone and not plain and not cause:
        return None
    plain = plain or f"{found:.6g} times the true gradient"
    return f"{plain}: {cause}" if cause else plain


def _near(value: float, expected: float) -> bool:
    return abs(value / expected - 1) < FIT


def _cause(found: float, counted: Mapping[str, int]) -> str | None:
    """What the factor comes from, where it is one of the numbers that are counted, or 1 by it."""
    missing = [f"the {count} {what}" for what, count in counted.items() if _near(found, count)]
    twice = [f"the {count} {what}" for what, count in counted.items() if _near(found, 1 / count)]
    if missing:
        return f"the mean over {' or '.join(missing)} is missing"
    return f"divided by {' or '.join(twice)} once too often" if twice else None
