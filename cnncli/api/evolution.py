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
from cnncli.engine.names import ArrayName
from cnncli.errors import CheckpointError, DataError, UsageError
from cnncli.graph import Model
from cnncli.inspection.names import only_nodes
from cnncli.inspection.options import among, at_least
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.evolution import OF, Evolution, Film, films, strips
from cnncli.inspection.views.pick import Pick
from cnncli.training.run_directory import RunDirectory
from cnncli.training.watch import frame_shapes

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
        among("--of", name, list(OF.values()))
    at_least("--steps", columns, 2)
    directory = RunDirectory.open(Path(run))
    frames = directory.frames
    inputs, steps = frames.inputs, frames.steps
    if not steps:
        raise CheckpointError(f"{fspath(run)}: the training ended before there was a frame")
    experiment = configuration.load(directory.config)
    model = Model.create(experiment.graph)
    session = Session(experiment, model, None, 1)
    nodes = only_nodes(model.graph, pick.nodes)
    kept = _shapes(directory, session, len(inputs))
    shapes = {
        str(name): shape for name, shape in kept.items() if name.node in nodes and OF[name.kind] in (of or OF.values())
    }
    subjects = _subjects(session, inputs)
    found = tuple(films(model, {step: frames.read(step, shapes) for step in steps}, subjects, pick))
    if not found:
        layers = ", ".join(dict.fromkeys(name.node for name in kept))
        raise UsageError(f"nothing of this was kept in the training; what was kept is of {layers}")
    return Evolution(strips(found, _whole(found, subjects), columns), found)


def _shapes(directory: RunDirectory, session: Session, samples: int) -> dict[ArrayName, tuple[int, ...]]:
    """What every frame of this training holds, and nothing else does."""
    experiment = session.experiment
    if experiment.train.watch is None:
        raise CheckpointError(
            f"{directory.config}: has no train.watch, so that the frames in {directory.frames.path} are of another"
            " training; delete them"
        )
    return frame_shapes(experiment.train.watch, session.model, experiment.loss, samples)


def _whole(films: Sequence[Film], subjects: Sequence[Subject]) -> Subject:
    """All inputs together; none where there is nothing but filters."""
    if not any(film.subject.input for film in films):
        return Subject("")
    if len(subjects) == 1:
        return replace(subjects[0], target=None)
    return Subject(", ".join(subject.input for subject in subjects))


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
