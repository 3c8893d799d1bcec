"""Losses: gradients that forget the target, or the softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.diagnosis.factors import ratio
from cnncli.inspection.gradcheck.diagnosis.fit import LOOKS, batch_last, dot, equal
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import LossFunction
from cnncli.inspection.gradcheck.sampling import dense

Array = NDArray[Any]


def wrong_loss(examination: Examination[LossFunction]) -> str | None:
    """Off by a multiple of the target, or as if the link function were not there."""
    function = examination.function
    targets, y, dy = function.objective.targets, batch_last(function.x), examination.cotangent
    link = function.objective.loss.link
    if link is not None and equal(examination, (y - targets) * dy):
        return f"the {link} is missing: it is the output minus the target"
    along = np.moveaxis(targets * dy, -1, 0)  # the target's own part of every sample's gradient
    pairs = []
    for _ in range(LOOKS):
        direction = dense(np.ones(along.shape, np.bool_), examination.rng).direction
        pairs.append((dot(examination.gradient, direction) - examination.slope(direction), dot(along, direction)))
    found = ratio(pairs)
    if not found:
        return None
    return f"off by {found:.4g} times the target: is the target subtracted, and once?"
