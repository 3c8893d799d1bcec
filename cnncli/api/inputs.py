"""What a command looks at: the inputs that were given, or what stands in for them; and the labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_index, class_indices, has_classes, is_binary
from cnncli.api.session import Session
from cnncli.data.inputs import Input, holds_numbers, read_array, resolve
from cnncli.errors import DataError, UsageError
from cnncli.inspection.options import at_least

Array = NDArray[Any]
Inputs = str | PathLike[str] | Sequence[str | PathLike[str]]
"""One input or several, each as `--input` takes it."""
Labels = str | float | Sequence[str | float]
"""Classes by number or name (of several that are true at once as "0,2"), or files of numbers: one for each input, or
one for all."""


def given_inputs(session: Session, inputs: Inputs) -> Input:
    """As the session's network takes them. Raises DataError, and UsageError where they need data and there is none."""
    specs = [inputs] if isinstance(inputs, str | PathLike) else inputs
    return resolve(
        [fspath(spec) for spec in specs],
        session.graph.input_shape,
        session.experiment.data,
        lambda: session.dataset,
    )


def shown(session: Session, inputs: Inputs | None) -> Input:
    """The given inputs; else the first sample of the data; else, without data, random numbers and a random target.

    Raises DataError and UsageError.
    """
    if inputs:
        return given_inputs(session, inputs)
    return _random(session, 1) if session.experiment.data is None else _first_sample(session)


def replayed(step: int | None, count: int | None, *, training: bool) -> int:
    """How many batches a training had seen before its `step`, from 1, which select the dropout masks; 0 for None.

    `count` is the number of samples where these are not given but taken of the data. Raises UsageError.
    """
    at_least("--step", step)
    if step is None:
        return 0
    if not training:
        raise UsageError("--step picks the dropout masks of a training step; give --train-mode too")
    if count is not None:
        raise UsageError("--step replays one batch, and --samples takes samples of the data; give --input instead")
    return step - 1


def shown_some(session: Session, inputs: Inputs | None, labels: Labels, count: int) -> Input:
    """The given inputs; else the first `count` training samples; else, where there is no data, random numbers.

    Raises DataError and UsageError, but not for a data set that is not there.
    """
    at_least("--samples", count)
    found = given_inputs(session, inputs) if inputs else _training_samples(session, count)
    return labelled(session, found, labels)


def known_targets(session: Session, found: Input, otherwise: str = "") -> Array:
    """The targets of all inputs. Raises UsageError, with what else there is to do, where they are not known."""
    if found.targets is None:
        unknown = next(name for name, label in zip(found.names, found.labels, strict=True) if label is None)
        raise UsageError(
            f"the loss needs to know what is right, and {unknown} has no label; {_how_to_label(session)}{otherwise}"
        )
    return found.targets


def _how_to_label(session: Session) -> str:
    shape = session.graph.output.shape
    if len(shape) == 1 and has_classes(session):
        return "give --label CLASS"
    return "give --label NUMBER" if shape == (1,) else f"give --label FILE, numbers of the shape {shape}"


def _first_sample(session: Session) -> Input:
    try:
        return _samples(session, session.dataset.held_out, 1)
    except DataError as error:
        fix = "or give an --input: without one, the first sample of the data is taken"
        raise DataError(f"{error}\n{fix}") from None


def _training_samples(session: Session, count: int) -> Input:
    if session.experiment.data is not None:
        with suppress(DataError):
            return _samples(session, "train", count)
    return _random(session, count)


def _samples(session: Session, split: str, count: int) -> Input:
    """The first samples of a split."""
    count = min(count, len(session.dataset.split(split)))
    return given_inputs(session, [f"{split}:{index}" for index in range(count)])


def _random(session: Session, count: int) -> Input:
    """Normally distributed numbers, and targets that the loss takes."""
    x, targets = random_batch(session, count, np.dtype(np.float64))
    names = (f"random numbers (seed {session.experiment.seed})",) * count
    return Input(x, tuple(targets), names, (None,) * count, made_up=True)


def random_batch(session: Session, count: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Normally distributed numbers, and targets that the loss takes."""
    x = np.random.default_rng(session.experiment.seed).standard_normal((count, *session.graph.input_shape), dtype)
    return x, _random_targets(session, count)


def _random_targets(session: Session, count: int) -> Array:
    """Classes for cross entropy, 0 or 1 for labels, else numbers."""
    rng = np.random.default_rng([session.experiment.seed, 1])
    link = session.experiment.loss.link
    shape = session.graph.shape_of(session.graph.logits(link))
    if link == "softmax":
        return rng.integers(shape[0], size=(count, *shape[1:]))
    if link == "sigmoid":
        return rng.integers(2, size=(count, *shape)).astype(np.float32)
    return rng.standard_normal((count, *shape)).astype(np.float32)


def labelled(session: Session, found: Input, labels: Labels) -> Input:
    """With the targets that `labels` mean, if there are any. Raises DataError and UsageError."""
    if not are_given(labels):
        return found
    each = [labels] if isinstance(labels, str | float | int) else labels
    parts = [_targets(session, str(label)) for label in each]
    if len({part.shape[1:] for part in parts}) > 1:
        raise UsageError("--label: give either classes or files of numbers, not both")
    targets, count = np.concatenate(parts), len(found.x)
    if len(targets) not in (1, count):
        raise UsageError(f"--label: {len(targets)} labels for {count} inputs; give one for each input, or one for all")
    every = targets if len(targets) == count else np.repeat(targets, count, axis=0)
    return replace(found, labels=tuple(every), made_up=False)


def are_given(labels: Labels) -> bool:
    """Whether there are any; one may be the number 0."""
    return isinstance(labels, str | float | int) or bool(labels)


def _targets(session: Session, label: str) -> Array:
    """A class, int64 (1,), or numbers, (n, *shape): n is 1 but for a file of several. Where several classes may be true
    at once, 1 for each that is, else 0."""
    shape = session.graph.output.shape
    if holds_numbers(label):
        return read_array(label, shape)
    if shape == (1,):
        with suppress(ValueError):
            return np.array([[float(label)]], np.float32)
    if len(shape) != 1:
        raise DataError(f"--label {label}: the output has the shape {shape}, not classes; give a file of such numbers")
    if session.experiment.loss.link != "sigmoid" or is_binary(session):
        return np.array([class_index(session, label, "--label")])
    true = class_indices(session, label, "--label")
    return np.isin(np.arange(*shape), true).astype(np.float32)[None]
