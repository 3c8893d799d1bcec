"""What `backward` differentiates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike, fspath

import numpy as np

from cnncli.api.classes import class_index, class_words, has_classes, index_below, is_binary
from cnncli.api.inputs import Labels, are_given, known_targets
from cnncli.api.session import Session
from cnncli.api.subject import label_in_words
from cnncli.data.inputs import Input, read_array
from cnncli.engine import LogitObjective, LossObjective, Objective, UpstreamObjective
from cnncli.errors import DataError, UsageError
from cnncli.training.weights import class_weights, sample_weights


@dataclass(frozen=True, eq=False)
class Choice:
    """An objective, and what it is in words."""

    objective: Objective
    text: str


def require_one(labels: Labels, target: object, upstream: object) -> None:
    """Raises UsageError where several things are to be differentiated."""
    options = {"--label": are_given(labels), "--target": target is not None, "--upstream": upstream is not None}
    given = [name for name, is_given in options.items() if is_given]
    if len(given) > 1:
        raise UsageError(
            f"{given[0]} and {given[1]} were both given; differentiate either the loss of a label, or a logit, or a "
            "given gradient"
        )


def choose(session: Session, given: Input, *, target: str | None, upstream: str | PathLike[str] | None) -> Choice:
    """The logit of `target`, the given `upstream`, or the loss. Raises UsageError and DataError."""
    if upstream is not None:
        return _upstream(session, given, fspath(upstream))
    return _loss(session, given) if target is None else Choice(*logit(session, target))


def as_trained(session: Session, given: Input, choice: Choice) -> Choice:
    """The loss as a training minimises it: with its class weights. Raises UsageError, DataError."""
    wanted, objective = session.experiment.train.class_weight, choice.objective
    if wanted is None or not isinstance(objective, LossObjective) or given.targets is None:
        return choice
    outputs = session.graph.shape_of(objective.at)[0]
    weight, _ = sample_weights(class_weights(session.dataset.train.targets, outputs, wanted), given.targets)
    return Choice(replace(objective, sample_weight=weight), f"{choice.text}, class weights included")


def _loss(session: Session, given: Input) -> Choice:
    what = "CLASS" if len(session.graph.output.shape) == 1 and has_classes(session) else "PLACE"
    targets = known_targets(session, given, f", or differentiate one output with --target {what}")
    return Choice(LossObjective.of(session.experiment.loss, session.graph, targets), loss_in_words(session, given))


def loss_in_words(session: Session, given: Input) -> str:
    """The loss, and of which label, where all inputs have the same."""
    name, first = f"{session.experiment.loss.type} loss", given.labels[0]
    same = all(label is not None and first is not None and np.array_equal(label, first) for label in given.labels)
    known = label_in_words(session, first) if same and first is not None else None
    if given.made_up:
        return f"{name} of random targets" if known is None else f"{name} of {known}, which is random"
    return name if known is None else f"{name} of {known}"


def logit(session: Session, target: str) -> tuple[LogitObjective, str]:
    """That of a class, or one number of another output, and what it is in words. Raises UsageError."""
    graph = session.graph
    at = graph.logits(graph.output.layer.link)
    shape = graph.shape_of(at)
    if len(shape) == 1 and not is_binary(session) and has_classes(session):
        index = class_index(session, target, "--target")
        return LogitObjective(at, np.array([[index]])), f"logit of class {class_words(session, index)}"
    parts = target.split(",")
    found = [index_below(part, size) for part, size in zip(parts, shape, strict=False)]
    place = tuple(index for index in found if index is not None)
    if not len(place) == len(parts) == len(shape):
        first, last = ",".join("0" for _ in shape), ",".join(str(size - 1) for size in shape)
        raise UsageError(f"--target {target}: expected the place of one number of the output, from {first} to {last}")
    return LogitObjective(at, np.array([place])), f"{at}[{target}]"


def _upstream(session: Session, given: Input, spec: str) -> Choice:
    output = session.graph.output
    array = read_array(spec, output.shape)
    if not np.isfinite(array).all():
        wrong = array.size - np.count_nonzero(np.isfinite(array))
        raise DataError(f"--upstream {spec}: {wrong:,} of {array.size:,} numbers are NaN or infinite; give finite ones")
    if len(array) not in (1, len(given.x)):
        raise DataError(
            f"--upstream {spec}: {len(array)} gradients for {len(given.x)} inputs; give one for each, or one"
        )
    return Choice(UpstreamObjective(output.name, array), f"given upstream {spec}")
