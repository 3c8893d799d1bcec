"""What a view says about its input: what is true, what is predicted, what is most probable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_name, class_words, is_binary, names_of, probabilities
from cnncli.api.session import Session
from cnncli.data.inputs import Input
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.classes import ClassScore, top_classes

Array = NDArray[Any]


def describe(session: Session, given: Input, values: Mapping[str, Array], *, target: str | None = None) -> Subject:
    """The first of the inputs, and what the network made of it; `values` are all activations, (N, *shape)."""
    shares, label = probabilities(session, values.__getitem__), given.labels[0]
    return Subject(
        input=given.names[0],
        samples=len(given.x),
        picture=given.pictures[0],
        true=None if label is None or given.made_up else truth(session, label),
        predicted=None if shares is None else _prediction(session, shares[0]),
        target=target,
    )


def top_of(session: Session, values: Mapping[str, Array], count: int) -> tuple[ClassScore, ...]:
    """The most probable classes of the first sample; none where the outputs are no classes."""
    shares = probabilities(session, values.__getitem__)
    return () if shares is None else top_classes(shares[0], names_of(session), count)


def truth(session: Session, target: Array) -> str | None:
    """The class, the labels, or the single number that a target of one sample stands for; None for many numbers."""
    index = _class_of(session, target)
    if index is not None:
        return class_name(session, index)
    if target.size == 1:
        return f"{target.item():.4g}"
    return _labels(session, target) if session.experiment.loss.link == "sigmoid" else None


def label_in_words(session: Session, target: Array) -> str | None:
    """ "label Coat", "target 0.3" for a single number; None for many."""
    index = _class_of(session, target)
    if index is not None:
        return f"label {class_words(session, index)}"
    known = truth(session, target)
    return known and f"{'target' if target.size == 1 else 'label'} {known}"


def _class_of(session: Session, target: Array) -> int | None:
    """The number of the class that a target of one sample is."""
    if is_binary(session):
        return int(target.item()) if target.item() in (0, 1) else None
    several = math.prod(session.graph.output.shape) > 1
    return int(target) if several and target.ndim == 0 and target.dtype.kind in "iu" else None


def _prediction(session: Session, shares: Array) -> str | None:
    """The most probable class; where several may be true at once, those that are more probable than not. None where
    nothing is known of the probabilities."""
    if not np.isfinite(shares).all():
        return None
    if session.experiment.loss.link == "sigmoid" and not is_binary(session):
        return _labels(session, shares)
    return class_name(session, int(shares.argmax()))


def _labels(session: Session, shares: Array) -> str:
    return ", ".join(class_name(session, index) for index in (shares > 0.5).nonzero()[0].tolist()) or "none"
