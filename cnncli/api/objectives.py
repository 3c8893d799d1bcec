"""What `backward` differentiates."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike, fspath

import numpy as np

from cnncli.api.classes import class_index, class_name, index_below, is_binary, names_of
from cnncli.api.inputs import known_targets
from cnncli.api.session import Session
from cnncli.api.subject import truth
from cnncli.data.inputs import Input, read_array
from cnncli.engine import LogitObjective, LossObjective, Objective, UpstreamObjective
from cnncli.errors import DataError, UsageError


@dataclass(frozen=True, eq=False)
class Choice:
    """An objective, and what it is in words."""

    objective: Objective
    text: str


def choose(session: Session, given: Input, *, target: str | None, upstream: str | PathLike[str] | None) -> Choice:
    """The logit of `target`, the given `upstream`, or the loss. Raises UsageError and DataError."""
    if target is not None and upstream is not None:
        raise UsageError("--target and --upstream were both given; differentiate either a logit or a given gradient")
    if upstream is not None:
        return _upstream(session, given, fspath(upstream))
    return _loss(session, given) if target is None else _logit(session, target)


def _loss(session: Session, given: Input) -> Choice:
    targets = known_targets(given, "give --label CLASS, or differentiate a logit with --target CLASS")
    objective = LossObjective.of(session.experiment.loss, session.graph, targets)
    known = truth(session, targets[0]) if len(targets) == 1 else None
    return Choice(objective, f"{session.experiment.loss.type} loss" + (f" of label {known}" if known else ""))


def _logit(session: Session, target: str) -> Choice:
    graph = session.graph
    at = graph.logits(graph.output.layer.link)
    shape = graph.shape_of(at)
    if len(shape) == 1 and not is_binary(session) and _has_classes(session):
        index = class_index(session, target, "--target")
        return Choice(LogitObjective(at, np.array([[index]])), f"logit of class {class_name(session, index)}")
    parts = target.split(",")
    found = [index_below(part, size) for part, size in zip(parts, shape, strict=False)]
    place = tuple(index for index in found if index is not None)
    if not len(place) == len(parts) == len(shape):
        first, last = ",".join("0" for _ in shape), ",".join(str(size - 1) for size in shape)
        raise UsageError(f"--target {target}: expected the place of one number of the output, from {first} to {last}")
    return Choice(LogitObjective(at, np.array([place])), f"{at}[{target}]")


def _has_classes(session: Session) -> bool:
    """Whether the outputs of a network that ends in a vector stand for classes; in regression they are mere numbers."""
    links = session.experiment.loss.link, session.graph.output.layer.link
    return names_of(session) is not None or any(link is not None for link in links)


def _upstream(session: Session, given: Input, spec: str) -> Choice:
    output = session.graph.output
    array = read_array(spec, output.shape)
    if len(array) not in (1, len(given.x)):
        raise DataError(
            f"--upstream {spec}: {len(array)} gradients for {len(given.x)} inputs; give one for each, or one"
        )
    return Choice(UpstreamObjective(output.name, array), f"given upstream {spec}")
