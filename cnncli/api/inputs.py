"""What a command looks at: the inputs that were given, or what stands in for them; and the labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_index
from cnncli.api.session import Session
from cnncli.data.inputs import Input, read_array, resolve
from cnncli.errors import DataError, UsageError

Array = NDArray[Any]
Inputs = str | PathLike[str] | Sequence[str | PathLike[str]]
"""One input or several, each as `--input` takes it."""

SPLITS = ("test", "val", "train")


@dataclass(frozen=True, eq=False)
class Shown:
    """Inputs, and their targets as the data has them; None where they are unknown."""

    input: Input
    targets: Array | None


def as_list(given: Inputs | None) -> list[str]:
    """The inputs one by one, as text."""
    if given is None:
        return []
    return [fspath(given)] if isinstance(given, str | PathLike) else [fspath(each) for each in given]


def shown(session: Session, given: Inputs | None, labels: Sequence[str | float] = ()) -> Shown:
    """The given inputs; else the first sample of the data; else, without data, random numbers and a random target.

    `labels` are classes by number or name, or files of numbers: one for each input, or one for all.
    Raises DataError and UsageError.
    """
    if given:
        found = _given(session, given)
    elif session.experiment.data is not None:
        found = _from_data(session, SPLITS, 1)
    else:
        found = _random(session, 1)
    return _labelled(session, found, labels)


def shown_some(session: Session, given: Inputs | None, labels: Sequence[str | float], count: int) -> Shown:
    """The given inputs; else the first `count` training samples; else, where there is no data, random numbers.

    Raises DataError and UsageError, but not for a data set that is not there.
    """
    if given:
        return _labelled(session, _given(session, given), labels)
    if session.experiment.data is not None:
        with suppress(DataError):
            return _labelled(session, _from_data(session, ("train",), count), labels)
    return _labelled(session, _random(session, count), labels)


def _given(session: Session, given: Inputs) -> Shown:
    experiment = session.experiment
    input = resolve(as_list(given), session.graph.input_shape, source=experiment.data, seed=experiment.seed)
    return Shown(input, input.labels)


def _from_data(session: Session, splits: Sequence[str], count: int) -> Shown:
    """The first samples of the first of the splits that there is."""
    name = next(name for name in splits if getattr(session.dataset, name) is not None)
    split = session.dataset.split(name)
    indices = range(min(count, len(split)))
    x, targets = split.batch(indices)
    names = tuple(f"{name}:{index}" for index in indices)
    return Shown(Input(x, targets, names, tuple(map(split.display, indices))), targets)


def _random(session: Session, count: int) -> Shown:
    seed = session.experiment.seed
    x = np.random.default_rng(seed).standard_normal((count, *session.graph.input_shape))
    return Shown(
        Input(x, None, (f"random numbers (seed {seed})",) * count, (None,) * count), random_targets(session, count)
    )


def _labelled(session: Session, found: Shown, labels: Sequence[str | float]) -> Shown:
    return Shown(found.input, _given_targets(session, labels, len(found.input.x))) if labels else found


def random_targets(session: Session, count: int) -> Array:
    """Targets that the loss takes: classes for cross entropy, 0 or 1 for labels, else numbers."""
    rng = np.random.default_rng([session.experiment.seed, 1])
    link = session.experiment.loss.link
    shape = session.graph.shape_of(session.graph.logits(link))
    if link == "softmax":
        return rng.integers(shape[0], size=count)
    if link == "sigmoid":
        return rng.integers(2, size=(count, *shape)).astype(np.float32)
    return rng.standard_normal((count, *shape)).astype(np.float32)


def _given_targets(session: Session, labels: Sequence[str | float], count: int) -> Array:
    if len(labels) not in (1, count):
        raise UsageError(f"--label: {len(labels)} labels for {count} inputs; give one for each input, or one for all")
    targets = [_target(session, str(label)) for label in labels]
    if len({target.shape for target in targets}) > 1:
        raise UsageError("--label: give either classes or files of numbers, not both")
    return np.concatenate(targets * (count if len(targets) == 1 else 1))


def _target(session: Session, label: str) -> Array:
    """A class, int64 (1,), or numbers, (1, *shape)."""
    shape = session.graph.output.shape
    if Path(label).suffix in (".npy", ".npz", ".txt", ".csv", ".tsv"):
        return read_array(label, shape)
    if shape == (1,):
        with suppress(ValueError):
            return np.array([[float(label)]], np.float32)
    if len(shape) != 1:
        raise DataError(f"--label {label}: the output has the shape {shape}, not classes; give a file of such numbers")
    return np.array([class_index(session, label, "--label")])
