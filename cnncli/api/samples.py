"""The samples that a command looks at: some of a split, or the given inputs."""

from __future__ import annotations

import numpy as np

from cnncli.api.inputs import Inputs, given_inputs
from cnncli.api.session import Session
from cnncli.errors import DataError, UsageError
from cnncli.inspection.samples import Samples


def samples_of(session: Session, split: str | None = None, count: int | None = None) -> Samples:
    """`count` samples of a split, evenly spread over it, by default all; the split is by default the held-out one.

    Evenly spread, because a data set may come class by class. Raises DataError and UsageError.
    """
    name = split or session.dataset.held_out
    rows = session.dataset.split(name)
    if not len(rows):
        raise DataError(f"the {name} split holds no samples")
    if count is not None and count < 1:
        raise UsageError(f"--samples {count}: expected at least 1")
    size = len(rows) if count is None else min(count, len(rows))
    chosen = np.arange(size) * len(rows) // size
    return Samples(
        title=name if size == len(rows) else f"{size:,} of the {len(rows):,} samples of {name}",
        count=size,
        x=lambda indices: rows.batch(chosen[indices])[0],
        name=lambda index: f"{name}:{chosen[index]}",
        picture=lambda index: rows.display(int(chosen[index])),
        targets=rows.targets[chosen],
    )


def given_samples(session: Session, inputs: Inputs) -> Samples:
    """The given inputs. Raises DataError and UsageError."""
    given = given_inputs(session, inputs)
    return Samples(
        title=given.names[0] if len(given.x) == 1 else f"{len(given.x):,} inputs",
        count=len(given.x),
        x=lambda indices: given.x[indices],
        name=lambda index: given.names[index],
        picture=lambda index: given.pictures[index],
        targets=given.targets,
    )


def some_samples(session: Session, inputs: Inputs | None, split: str | None, count: int) -> Samples:
    """The given inputs, or else up to `count` samples of a split. Raises DataError and UsageError."""
    if not inputs:
        return samples_of(session, split, count)
    if split is not None:
        raise UsageError("--input and --split were both given; look either at these inputs or at a split")
    return given_samples(session, inputs)
