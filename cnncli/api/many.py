"""Several samples: `--samples`, of which only the first is looked at, and several inputs, of which all are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, Labels, labelled
from cnncli.api.samples import samples_of
from cnncli.api.session import Session
from cnncli.api.subject import describe
from cnncli.data.inputs import Input, labels_of
from cnncli.errors import UsageError
from cnncli.inspection.samples import Samples
from cnncli.inspection.subject import Subject

Array = NDArray[Any]


def many_samples(
    session: Session, count: int | None, inputs: Inputs | None, save: str | PathLike[str] | None
) -> Samples | None:
    """So many of the held-out split; None if no number is given. Raises UsageError and DataError."""
    if count is None:
        return None
    if inputs:
        raise UsageError("--samples takes samples of the data, and --input is given too; leave one of them out")
    if save is not None:
        raise UsageError("--save writes every array, and --samples keeps only numbers about them; give --input instead")
    return samples_of(session, count=count)


def some_of(samples: Samples, indices: NDArray[np.int64]) -> Input:
    """Those at `indices`, as inputs."""
    labels = labels_of(None if samples.targets is None else samples.targets[indices], len(indices))
    numbers = indices.tolist()
    names, pictures = map(samples.name, numbers), map(samples.picture, numbers)
    return Input(samples.x(indices), labels, tuple(names), tuple(pictures))


def labelled_samples(session: Session, samples: Samples, labels: Labels) -> Samples:
    """With the targets that `labels` mean, if there are any. Raises DataError and UsageError."""
    counted = Input(np.empty((samples.count, 0)), labels_of(samples.targets, samples.count), (), ())
    return replace(samples, targets=labelled(session, counted, labels).targets)


def telling(samples: Samples) -> NDArray[np.int64]:
    """The first sample and another, with another target if there is any: what is said of both is said of all."""
    if samples.targets is None or samples.count == 1:
        return np.arange(min(samples.count, 2))
    others = (samples.targets != samples.targets[0]).reshape(samples.count, -1).any(axis=1)
    return np.array([0, others.argmax() or 1])


def describe_each(
    session: Session, given: Input, values: Mapping[str, Array], *, target: str | None = None
) -> tuple[Subject, ...]:
    """What there is to say about every input; `values` are all activations, (N, *shape)."""
    each = [slice(place, place + 1) for place in range(len(given))]
    return tuple(
        describe(session, given[one], {name: array[one] for name, array in values.items()}, target=target)
        for one in each
    )
