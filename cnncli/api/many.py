"""Several samples: `--samples`, of which only the first is looked at, and several inputs, of which all are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import Inputs
from cnncli.api.samples import samples_of
from cnncli.api.session import Session
from cnncli.api.subject import describe
from cnncli.data.inputs import Input
from cnncli.errors import UsageError
from cnncli.inspection.samples import Samples
from cnncli.inspection.views import Subject

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
    targets = None if samples.targets is None else samples.targets[indices]
    numbers = indices.tolist()
    names, pictures = map(samples.name, numbers), map(samples.picture, numbers)
    return Input(samples.x(indices), targets, tuple(names), tuple(pictures))


def describe_each(
    session: Session, given: Input, values: Mapping[str, Array], *, target: str | None = None
) -> tuple[Subject, ...]:
    """What there is to say about every input; `values` are all activations, (N, *shape)."""
    return tuple(
        describe(
            session,
            replace(
                given,
                x=given.x[place : place + 1],
                targets=None if given.targets is None else given.targets[place : place + 1],
                names=given.names[place : place + 1],
                pictures=given.pictures[place : place + 1],
            ),
            {name: array[place : place + 1] for name, array in values.items()},
            target=target,
        )
        for place in range(len(given.x))
    )


def as_samples(given: Input) -> Samples:
    """Inputs as samples."""
    return Samples(
        title=f"{len(given.x):,} inputs",
        count=len(given.x),
        x=lambda indices: given.x[indices],
        name=given.names.__getitem__,
        picture=given.pictures.__getitem__,
        targets=given.targets,
    )
