"""How maps and filters changed in a training that was watched."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path

from cnncli import config as configuration
from cnncli.api.session import Session
from cnncli.api.subject import truth
from cnncli.data.inputs import resolve
from cnncli.errors import CheckpointError, DataError, UsageError
from cnncli.graph import Model
from cnncli.inspection.names import only_nodes
from cnncli.inspection.views.evolution import OF, Evolution, films, node_of, strips
from cnncli.inspection.views.pick import Pick
from cnncli.inspection.views.subject import Subject
from cnncli.training.run_directory import RunDirectory
from cnncli.wording import one_of

FEW = Pick(top=8)


def evolution(
    run: str | PathLike[str],
    *,
    of: Sequence[str] = (),
    pick: Pick = FEW,
    columns: int = 8,
) -> Evolution:
    """The films of what `train.watch` kept in a run directory, and strips of at most `columns` of their frames.

    `of` are some of "activations", "filters" and "gradients", by default all; `pick` says which layers and channels,
    of which the strongest are those that are so at the end.

    Raises CheckpointError, DataError and UsageError.
    """
    for name in of:
        if name not in OF.values():
            raise UsageError(f"--of {name}: expected {one_of(list(OF.values()))}")
    directory = RunDirectory.open(Path(run))
    frames = directory.frames
    inputs, steps = frames.inputs, frames.steps
    if not steps:
        raise CheckpointError(f"{fspath(run)}: the training ended before there was a frame")
    experiment = configuration.load(directory.config)
    model = Model.create(experiment.graph)
    session = Session(experiment, model, None, 1)
    nodes = only_nodes(model.graph, pick.nodes)
    kept = frames.keys(steps[-1])
    keys = [key for key in kept if node_of(key) in nodes and OF[key.partition("/")[0]] in (of or OF.values())]
    subjects = _subjects(session, inputs)
    found = tuple(films(model, {step: frames.read(step, keys) for step in steps}, subjects, pick))
    if not found:
        layers = ", ".join(dict.fromkeys(map(node_of, kept)))
        raise UsageError(f"nothing of this was kept in the training; what was kept is of {layers}")
    single = replace(subjects[0], target=None) if len(subjects) == 1 else None
    return Evolution(strips(found, single or Subject(", ".join(inputs)), columns), found)


def _subjects(session: Session, inputs: Sequence[str]) -> list[Subject]:
    """The inputs that were watched, with their pictures as long as the data are still there."""
    objective = f"{session.experiment.loss.type} loss"
    with suppress(DataError):
        given = resolve(inputs, session.graph.input_shape, None, lambda: session.dataset)
        assert given.targets is not None  # they are samples of the data
        return [
            Subject(name, picture=picture, true=truth(session, target), target=objective)
            for name, picture, target in zip(given.names, given.pictures, given.targets, strict=True)
        ]
    return [Subject(name, target=objective) for name in inputs]
