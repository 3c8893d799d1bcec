"""The arithmetic of one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Unpack

from cnncli.api.classes import names_of
from cnncli.api.inputs import Inputs, Labels, are_given, labelled, shown
from cnncli.api.objectives import Choice, choose, require_one
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.api.subject import describe
from cnncli.data.inputs import Input
from cnncli.errors import UsageError
from cnncli.inspection.subject import Subject
from cnncli.inspection.trace import Question, Scene, Trace, checked, explain, field_of, number_of
from cnncli.inspection.trace.place import parse
from cnncli.wording import plural

PlaceText = str | int | Sequence[int]
"""4, "4,5" or (4, 5)."""


def trace(
    network: Network | None = None,
    *,
    layer: str,
    channel: int | None = None,
    at: PlaceText | None = None,
    backward: bool = False,
    weight: PlaceText | None = None,
    bias: PlaceText | None = None,
    receptive_field: bool = False,
    input: Inputs | None = None,
    sample: int = 0,
    label: Labels = (),
    target: str | int | None = None,
    upstream: str | PathLike[str] | None = None,
    train_mode: bool = False,
    **options: Unpack[SessionOptions],
) -> Trace:
    """Where one number comes from, in double precision, and that it is what the engine computes.

    The number is the output of `layer` at `channel` and `at` (row and column); what is not given is chosen so that it
    is the largest. With `backward` it is the gradient of that output (of a pixel for the layer "input"), with `weight`
    or `bias` (a place, or "largest") that of a parameter; what is differentiated is as in `backward`. The layer "loss"
    is the loss. With `receptive_field` the trace tells, too, what of the input the number sees. `sample` is the one
    of several inputs whose number it is.

    Raises what `load` does, UsageError, DataError.
    """
    if not isinstance(network, Session):
        options.setdefault("dtype", "float64")  # random weights are then those of `forward` in that precision
    session = resolve(network, options)
    place = None if at is None else parse("--at", _text(at))
    key = {name: None if given is None else _text(given) for name, given in (("weight", weight), ("bias", bias))}
    question = Question(layer, channel, place, sample, backward, **key, receptive_field=receptive_field)
    question.check(session.model)
    found = shown(session, input)
    if not 0 <= sample < len(found.x):
        raise UsageError(f"--sample {sample}: expected one of {plural(len(found.x), 'input')}, numbered from 0")
    require_one(label, target, upstream)
    if are_given(label) and not (question.gradient or question.is_loss(session.graph)):
        raise UsageError("--label says whose loss is differentiated; add --backward, --weight or --bias")
    chosen = _objective(session, question, labelled(session, found, label), target, upstream)
    objective = None if chosen is None else chosen.objective
    scene = Scene.record(session.model, found.x, objective, training=train_mode, seed=session.experiment.seed)
    number, engine = number_of(scene, question)
    subject = _subject(session, found, scene, sample, None if chosen is None else chosen.text)
    if receptive_field:
        return Trace(subject, number, engine, engine, None, field_of(scene, number))
    return checked(subject, number, explain(scene, number, names_of(session) or ()), engine)


def _objective(
    session: Session, question: Question, given: Input, target: str | int | None, upstream: str | PathLike[str] | None
) -> Choice | None:
    """What is differentiated, or the loss that is traced. Raises UsageError and DataError."""
    loss = question.is_loss(session.graph)
    if question.gradient or loss:
        if loss and (target is not None or upstream is not None):
            raise UsageError("--layer loss is about the loss; leave out --target and --upstream")
        return choose(session, given, target=None if target is None else str(target), upstream=upstream)
    if target is not None or upstream is not None:
        raise UsageError("--target and --upstream say what is differentiated; add --backward, --weight or --bias")
    return None


def _subject(session: Session, found: Input, scene: Scene, sample: int, target: str | None) -> Subject:
    """The traced sample alone, and what the network made of it."""
    one = slice(sample, sample + 1)
    values = {name: array[one] for name, array in scene.recording.activations.items()}
    return replace(describe(session, found[one], values, target=target), samples=scene.samples, sample=sample)


def _text(place: PlaceText) -> str:
    return str(place) if isinstance(place, str | int) else ",".join(map(str, place))
