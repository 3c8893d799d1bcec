"""What a view says about its input: what is true, what is predicted, what is most probable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from cnncli.api.classes import class_name, is_binary, names_of, probabilities
from cnncli.api.session import Session
from cnncli.data.inputs import Input
from cnncli.inspection.views import ClassScore, Subject, top_classes

Array = NDArray[Any]


def describe(session: Session, given: Input, values: Mapping[str, Array], *, target: str | None = None) -> Subject:
    """The first of the inputs, and what the network made of it; `values` are all activations, (N, *shape)."""
    shares = probabilities(session, values.__getitem__)
    return Subject(
        input=given.names[0],
        samples=len(given.x),
        picture=given.pictures[0],
        true=None if given.targets is None else truth(session, given.targets[0]),
        predicted=None if shares is None else _prediction(session, shares[0]),
        target=target,
    )


def top_of(session: Session, values: Mapping[str, Array], count: int) -> tuple[ClassScore, ...]:
    """The most probable classes of the first sample; none where the outputs are no classes."""
    shares = probabilities(session, values.__getitem__)
    return () if shares is None else top_classes(shares[0], names_of(session), count)


def truth(session: Session, target: Array) -> str | None:
    """The class, or the labels, that a target of one sample stands for; None for mere numbers."""
    if target.dtype.kind in "iu" and target.ndim == 0:
        return class_name(session, int(target))
    if is_binary(session):
        return class_name(session, int(target[0])) if target[0] in (0, 1) else None
    return _labels(session, target) if session.experiment.loss.link == "sigmoid" else None


def _prediction(session: Session, shares: Array) -> str:
    """The most probable class; where several may be true at once, those that are more probable than not."""
    if session.experiment.loss.link == "sigmoid" and not is_binary(session):
        return _labels(session, shares)
    return class_name(session, int(shares.argmax()))


def _labels(session: Session, shares: Array) -> str:
    return ", ".join(class_name(session, index) for index in (shares > 0.5).nonzero()[0].tolist()) or "none"
