"""What is wrong with a gradient that failed: hypotheses about the mistake, and where it is wrong.

A hypothesis says what backward may have computed instead. If all that was measured agrees with that, it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnncli.inspection.gradcheck.diagnosis.arrangement import moved, rearranged, shuffled
from cnncli.inspection.gradcheck.diagnosis.curves import wrong_curve
from cnncli.inspection.gradcheck.diagnosis.factors import factor
from cnncli.inspection.gradcheck.diagnosis.losses import wrong_loss
from cnncli.inspection.gradcheck.diagnosis.normalization import wrong_normalization
from cnncli.inspection.gradcheck.diagnosis.place import located, worst
from cnncli.inspection.gradcheck.diagnosis.pooling import wrong_winner
from cnncli.inspection.gradcheck.diagnosis.substitutes import (
    missing_sum,
    other_input,
    other_weights,
    other_windows,
    own_input_alone,
)
from cnncli.inspection.gradcheck.examination import ONE_SIDED, Examination, Trial
from cnncli.inspection.gradcheck.functions import Function, LayerFunction, LossFunction
from cnncli.inspection.gradcheck.verdicts import Verdict

__all__ = ["explain", "explain_simply", "worst", "wrong_shape"]

LAYER_HYPOTHESES: tuple[Callable[[Examination[LayerFunction]], str | None], ...] = (
    wrong_curve,
    wrong_winner,
    wrong_normalization,
    rearranged,
    other_weights,
    other_windows,
    missing_sum,
    other_input,
    moved,
    shuffled,
    own_input_alone,
)
"""The particular before the general; the first that fits is told."""
LOSS_HYPOTHESES: tuple[Callable[[Examination[LossFunction]], str | None], ...] = (
    wrong_loss,
    rearranged,
    moved,
    shuffled,
    own_input_alone,
)


def explain(examination: Examination[Any], trials: Sequence[Trial]) -> str:
    """The first hypothesis that accounts for all that was measured, else the place of the error.

    For a layer or the loss alone.
    """
    if all(trial.oracle == ONE_SIDED for trial in trials if trial.verdict is Verdict.FAIL):
        return "it is not between the slopes to the left and to the right of a corner"
    measured = _measured(trials)
    counted = examination.function.counts
    hypotheses = LOSS_HYPOTHESES if isinstance(examination.function, LossFunction) else LAYER_HYPOTHESES
    everywhere = factor(measured, counted, alone=examination.gradient.size == 1)
    found = everywhere or next(filter(None, (hypothesis(examination) for hypothesis in hypotheses)), None)
    return found or located(examination) or factor(measured, counted) or "wrong almost everywhere, by no simple rule"


def explain_simply(examination: Examination[Function], trials: Sequence[Trial]) -> str | None:
    """A factor or a place, for a gradient that many layers have a part in; None where it is neither."""
    return factor(_measured(trials), examination.function.counts) or located(examination)


def _measured(trials: Sequence[Trial]) -> list[tuple[float, float]]:
    return [(trial.analytic, trial.numeric) for trial in trials if trial.oracle != ONE_SIDED]


def wrong_shape(shape: tuple[int, ...], right: tuple[int, ...]) -> str:
    """What it is, what it should be, and how it may have come about."""
    text = f"its shape is {shape}, not {right}"
    if len(shape) > len(right) and shape[: len(right)] == right:
        return f"{text}: it is not summed over the {'positions' if len(shape) - len(right) > 1 else 'samples'}"
    return f"{text}: it is transposed" if sorted(shape) == sorted(right) else text
