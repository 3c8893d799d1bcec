"""The samples that a command looks at: some of a split, or the given inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, given_inputs
from cnncli.api.session import Session
from cnncli.data.inputs import Input
from cnncli.errors import DataError, UsageError
from cnncli.inspection.options import at_least
from cnncli.inspection.samples import Samples


def samples_of(session: Session, split: str | None = None, count: int | None = None) -> Samples:
    """`count` samples of a split, evenly spread over it, by default all; the split is by default the held-out one.

    Evenly spread, because a data set may come class by class. Raises DataError and UsageError.
    """
    at_least("--samples", count)
    name = split or session.dataset.held_out
    rows = session.dataset.split(name)
    if not len(rows):
        raise DataError(f"the {name} split holds no samples")
    chosen = spread_over(len(rows), count)
    size = len(chosen)
    return Samples(
        title=name if size == len(rows) else f"{size:,} of the {len(rows):,} samples of {name}",
        count=size,
        x=lambda indices: rows.batch(chosen[indices])[0],
        name=lambda index: f"{name}:{chosen[index]}",
        picture=lambda index: rows.display(int(chosen[index])),
        targets=rows.targets[chosen],
    )


def spread_over(length: int, count: int | None) -> NDArray[np.int64]:
    """`count` of 0 to `length` - 1, evenly spread; all of them where they are no more, or for None."""
    size = length if count is None else min(count, length)
    return np.arange(size) * length // size


def as_samples(given: Input) -> Samples:
    """Inputs as samples."""
    names = set(given.names)
    return Samples(
        title=given.names[0] if len(names) == 1 else f"{len(given):,} inputs",
        count=len(given),
        x=given.x.__getitem__,
        name=given.names.__getitem__,
        picture=given.pictures.__getitem__,
        targets=given.targets,
    )


def some_samples(session: Session, inputs: Inputs | None, split: str | None, count: int) -> Samples:
    """The given inputs, or else up to `count` samples of a split. Raises DataError and UsageError."""
    if not inputs:
        return samples_of(session, split, count)
    if split is not None:
        raise UsageError("--input and --split were both given; look either at these inputs or at a split")
    return as_samples(given_inputs(session, inputs))
