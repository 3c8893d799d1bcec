"""The network's outputs and the targets as class numbers, wherever there is one class for each sample (or position)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import is_binary, probabilities
from cnncli.api.session import Session
from cnncli.losses import class_numbers
from cnncli.training.metrics import task_of

Array = NDArray[Any]


def read_by_loss(session: Session) -> str:
    """The value that the loss reads."""
    return session.graph.logits(session.experiment.loss.link)


def task_name(session: Session, targets: Array) -> str:
    """classification, multi-label or regression; one output for two classes is a classification."""
    if is_binary(session):
        return "classification"
    return task_of(session.experiment.loss, targets, session.graph.shape_of(read_by_loss(session))).name


def predicted_classes(session: Session, output: Array) -> Array:
    """(N, *positions) of what the loss reads, (N, K, *positions)."""
    if is_binary(session):
        shares = probabilities(session, lambda name: output)
        assert shares is not None  # a single output with a sigmoid
        output = shares
    return np.asarray(output.argmax(axis=1))


def true_classes(session: Session, output: Array, targets: Array) -> Array:
    """(N, *positions) of targets as the data has them: numbers of classes, or a share for each."""
    if is_binary(session):
        return (targets.reshape(len(targets)) > 0.5).astype(np.int64)
    return class_numbers(targets, output.shape[1:])
