"""Where a piecewise function has a corner, differences mean nothing. The branches that the layers took tell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.functions import Function
from cnncli.inspection.gradcheck.oracles import Difference, difference, magnitude
from cnncli.inspection.gradcheck.sampling import dense

Array = NDArray[Any]

TOUCH = 1e-11
"""What is as close as this to a corner, in relation to the tensor's magnitude, is on it."""
SHARP = 1e-5
"""One-sided slopes that differ by more than this share show a corner. Elements that are equal and move together
change places in a maximum without one."""


def switched(found: Difference) -> dict[str, Array]:
    """Which elements of which layers change their branch from one side to the other, where any do."""
    masks = {
        name: (found.base.branches[name] != taken) | (found.base.branches[name] != found.minus.branches[name])
        for name, taken in found.plus.branches.items()
    }
    return {name: mask for name, mask in masks.items() if mask.any()}


def crossed(found: Difference, known: Array | None) -> bool:
    """Whether a corner lies within the step; `known` are terms that are left out of account, on corners already."""
    return any(known is None or (mask & ~known).any() for mask in switched(found).values())


def visible(found: Difference, cotangent: Array) -> bool:
    """Whether the slopes to the left and to the right differ."""
    left, right = (float((cotangent * slope).sum()) for slope in found.slopes())
    return abs(left - right) > SHARP * max(abs(left), abs(right)) + 10 * found.noise(cotangent)


def cornered(function: Function, name: str, rng: np.random.Generator) -> Array | None:
    """The terms that are exactly on a corner as far as this tensor can move them; None if there are none, or where
    branches do not belong to terms. With all elements moved at random, each of them shows on one side or the other.
    """
    if not function.base.branches:
        return None
    found = np.zeros(function.base.terms.shape, np.bool_)
    step = TOUCH * magnitude(function.tensors[name])
    for _ in range(2):
        direction = dense(np.ones(function.tensors[name].shape, np.bool_), rng).direction
        for mask in switched(difference(function, name, direction, step)).values():
            if mask.shape != found.shape:
                return None
            found |= mask
    return found if found.any() else None


def between(found: Difference, cotangent: Array, analytic: float) -> bool:
    """Whether the slope is a sum of slopes that lie, term by term, between the one-sided ones."""
    left, right = (cotangent * slope for slope in found.slopes())
    slack = 1e-6 * float(np.maximum(abs(left), abs(right)).sum()) + 10 * found.noise(cotangent)
    return float(np.minimum(left, right).sum()) - slack <= analytic <= float(np.maximum(left, right).sum()) + slack
