"""What the course of the training tells. Each look returns a sentence with the likely fix, or None."""

from __future__ import annotations

from collections.abc import Sequence

from cnncli.training.advice.evidence import Evidence
from cnncli.training.advice.wording import lower_rate, scaled_targets
from cnncli.training.history import Record
from cnncli.training.metrics import Task

PATIENCE = 3
"""Validations in a row that are no accident."""
WORSE = 1.5
"""Times the loss of guessing, from which on it is worse than that."""


def guessing(evidence: Evidence) -> str | None:
    """Two epochs in a row the training loss is not 2 % below that of always giving the same answer, ln K for K
    balanced classes, and it does not fall by 2 % either. The first epoch may pass with finding the frequencies.
    """
    base, losses = evidence.task.baseline, _two_epochs(evidence.history)
    if base is None or losses is None or _knows_more(evidence.last, evidence.task):
        return None
    if not 0.98 * base.loss <= min(losses) <= max(losses) <= WORSE * base.loss or losses[1] < 0.98 * losses[0]:
        return None
    return (
        f"no better than guessing: after {evidence.last.epoch} epochs the training loss is {losses[1]:.3g}, and always "
        f"giving the same answer has {base.loss:.3g}; try another learning rate ('cnncli find-lr'), see whether the "
        "labels belong to the inputs ('cnncli data show'), and prove the network with 'cnncli sanity'"
    )


def worse_than_guessing(evidence: Evidence) -> str | None:
    """Two epochs in a row the training loss is 1.5 times that of thinking all answers alike, and it does not fall by
    10 %. (Class weights can raise it up to that, and not beyond.)
    """
    base, losses = evidence.task.baseline, _two_epochs(evidence.history)
    if base is None or losses is None or _knows_more(evidence.last, evidence.task):
        return None
    if min(losses) <= WORSE * base.even or losses[1] < 0.9 * losses[0]:
        return None
    return (
        f"worse than guessing: the training loss is {losses[1]:.3g}, and thinking all answers alike has "
        f"{base.even:.3g}; try {scaled_targets(evidence.task)}a lower learning rate ({lower_rate(evidence)}) or "
        "--set train.clip_norm=1"
    )


def class_collapse(evidence: Evidence) -> str | None:
    """The accuracy is that of always saying the most frequent class, to half a point, three validations in a row: among
    classes that differ in number a network may stay there. (Among equal ones this is guessing.)
    """
    base, history = evidence.task.baseline, evidence.history
    validated = [record.val for record in history if record.val is not None]
    scores = (validated or [record.train for record in history])[-PATIENCE:]
    if base is None or base.accuracy is None or evidence.task.name != "classification" or len(scores) < PATIENCE:
        return None
    if base.accuracy < 0.5 or any(abs((each.accuracy or 0.0) - base.accuracy) > 5e-3 for each in scores):
        return None
    return (
        f"one class for all: the accuracy stays at {base.accuracy:.1%}, which is that of always giving the most "
        "frequent class; try --set data.sampling=balanced or --set train.class_weight=balanced, and watch f1 "
        "(--set train.monitor=f1)"
    )


def overfitting(evidence: Evidence) -> str | None:
    """Three validations ago, or earlier, the validation loss was lowest; now it is 10 % above, while the training loss
    has fallen on. Less than that is noise of a small validation split.
    """
    validated = [(record.train.loss, record.val.loss, record) for record in evidence.history if record.val]
    if not validated:
        return None
    train, val, _ = validated[-1]
    best = min(range(len(validated)), key=lambda place: validated[place][1])
    then_train, then_val, record = validated[best]
    if len(validated) - 1 - best < PATIENCE or val < 1.1 * then_val or train >= then_train:
        return None
    return (
        f"overfitting: since epoch {record.epoch} the validation loss has risen from {then_val:.3g} to {val:.3g}, "
        f"while the training loss fell from {then_train:.3g} to {train:.3g}; try data.augment, more weight_decay, "
        "dropout, or --set train.early_stopping={} (the best weights are kept in any case)"
    )


def data_wait(evidence: Evidence) -> str | None:
    """More than a fifth of an epoch's training went into waiting for data, and that is worth speaking of: a second and
    more."""
    last = evidence.last
    if last.data_wait <= 0.2 or last.data_wait * last.seconds < 1:
        return None
    return (
        f"waiting for data: {last.data_wait:.0%} of the epoch's training; try fewer augmentations, and where pictures "
        "are decoded, smaller ones (resize the files once instead of in every epoch) or arrays (npz, npy)"
    )


def _two_epochs(history: Sequence[Record]) -> tuple[float, float] | None:
    """The training losses of the epoch before the last record's, and of that one."""
    last = history[-1]
    before = next((record for record in reversed(history) if record.epoch < last.epoch), None)
    return None if before is None else (before.train.loss, last.train.loss)


def _knows_more(last: Record, task: Task) -> bool:
    """Whether a tenth of what guessing gets wrong is right, whatever the loss says: with class weights, label smoothing
    or mixed samples that is higher."""
    guessed = None if task.baseline is None else task.baseline.accuracy
    accuracy = last.train.accuracy
    return guessed is not None and accuracy is not None and accuracy - guessed > 0.1 * (1 - guessed)
