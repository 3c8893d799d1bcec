"""Everything about a training but the training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any, Unpack

import numpy as np

from cnncli.api.given import Config
from cnncli.api.session import Session
from cnncli.api.train import Prepared, TrainOptions, prepare
from cnncli.data.dataset import Split
from cnncli.errors import OutputError
from cnncli.inspection.bench import peak_memory
from cnncli.inspection.dry_run import DryRun
from cnncli.machine import available_cores
from cnncli.training import loop
from cnncli.training.evaluation import measure
from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.metrics import task_of
from cnncli.training.progress import Listener, Plan, Step
from cnncli.training.run_directory import RUNS, RunDirectory

WARM_UP = 3
"""Updates that do not count: they make the buffers that the others use again."""
SECONDS = 3.0
"""For the timed updates."""
LEAST = 3
"""Updates are timed, however long they take, where an epoch has them."""
JUDGED = 2048
"""Samples of a split, at most, whose evaluation is timed."""
ENDLESS = 1_000_000
"""Epochs: the training that is timed is ended from outside."""
CLOSINGS = 4
"""Epochs, of one batch each, whose end is timed."""


def dry_run(config: Config | None = None, **options: Unpack[TrainOptions]) -> DryRun:
    """Checks all that a training needs, and estimates its time and memory; takes the arguments of `train`.

    The configuration, the data with all targets and the first batches, the weights or the state to start from are read;
    the place for the results is written to and left as it was; some updates are made on a copy of the network.

    Raises what `train` would before its first step; DivergedError too, if that lies within these updates.
    """
    prepared = prepare(config, **options)
    session = prepared.session
    settings, dataset = session.experiment.train, session.dataset
    files = _file_bytes(prepared)
    where, free, saving = _probe(prepared, sum(files) + max(files))  # each is written beside, and then renamed
    timer = _time_steps(session)
    validation = 0.0 if dataset.val is None else _validation_seconds(session, dataset.val)
    test = 0.0 if dataset.test is None else _validation_seconds(session, dataset.test)
    done = 0 if prepared.state is None else prepared.state.epochs
    epochs = max(settings.epochs - done, 0)
    rhythm = settings.validate_every
    validations = timer.updates / rhythm.steps if rhythm.steps is not None else 1 / (rhythm.epochs or 1)
    learning = timer.updates * timer.seconds
    epoch = learning + validations * validation + max(validations, 1) * saving
    return DryRun(
        name=session.experiment.name,
        run=where,
        samples={name: len(split) for name, split in dataset.splits.items()},
        parameters=session.model.flat.size,
        epochs=epochs,
        batches=timer.batches,
        batch_size=settings.batch_size,
        workers=session.workers or available_cores(),
        steps=len(timer.times),
        images_per_second=len(dataset.train) / learning,
        epoch_seconds=epoch,
        validation_seconds=validation,
        saving_seconds=saving,
        seconds=epochs * epoch + test,
        peak_memory_bytes=peak_memory(),
        checkpoint_bytes=sum(files),
        free_bytes=free,
        notes=prepared.notes,
    )


def _probe(prepared: Prepared, size: int) -> tuple[str, int, float]:
    """Where the results would be, how many bytes are free there, and the seconds that the end of an epoch takes.

    Nothing of it stays. Raises UsageError and OutputError.
    """
    if prepared.origin is not None and not prepared.forks:
        with prepared.origin.locked():
            return _try(prepared.session, prepared.origin.path, size)
    wanted = prepared.out or RUNS
    missing = [folder for folder in (wanted, *wanted.parents) if not folder.exists()]
    try:
        run = RunDirectory.create(prepared.session.experiment.name, "", prepared.out)
        if prepared.out is None:
            missing.insert(0, run.path)
        return _try(prepared.session, run.path, size)
    finally:
        for folder in missing:  # the deepest first, and none that something else has been put into
            with suppress(OSError):
                folder.rmdir()


def _try(session: Session, folder: Path, size: int) -> tuple[str, int, float]:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OutputError(
            f"{folder}: to write a checkpoint takes {size:,} bytes, and {free:,} are free; free some space, or choose"
            " another place with --out"
        )
    inside = folder / "dry-run"
    try:
        return str(folder), free, _closing_seconds(session, RunDirectory(inside))
    finally:
        shutil.rmtree(inside, ignore_errors=True)


def _file_bytes(prepared: Prepared) -> tuple[int, ...]:
    """Of the last weights, the best ones, and the state: the weights again, what the optimizer carries, the average."""
    session = prepared.session
    experiment = session.experiment
    weights = sum(array.nbytes for array in session.model.state_dict().values())
    slots = len(experiment.optimizer.slots()) + (experiment.train.ema is not None)
    return weights, weights, weights + slots * session.model.flat.nbytes


class _EnoughError(Exception):
    """Ends a training that was only to be timed."""


class _Timer(Listener):
    """Times the updates of a training, with all that lies between them, and ends it."""

    def __init__(self) -> None:
        self.batches = self.updates = 0  # an epoch
        self.times: list[float] = []
        self._stamps: list[float] = []

    @property
    def seconds(self) -> float:
        """Of an update, on average."""
        return fmean(self.times)

    def started(self, plan: Plan) -> None:
        self.batches, self.updates = plan.batches, plan.updates

    def step(self, step: Step) -> None:
        self._stamps.append(perf_counter())
        warm = self._stamps[WARM_UP:]
        if len(warm) > LEAST and warm[-1] - warm[0] > SECONDS:
            self.times = [later - earlier for earlier, later in pairwise(warm)]
            raise _EnoughError


def _time_steps(session: Session) -> _Timer:
    """Trains a copy of the network as configured, without validation, until there is enough to tell the speed."""
    timer = _Timer()
    with suppress(_EnoughError):
        _fit(session, session.dataset.train, ENDLESS, listener=timer)
    return timer


class _Closings(Listener):
    """Times what follows the last update of each epoch: looking at every layer, and saving."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._since = 0.0

    def step(self, step: Step) -> None:
        self._since = perf_counter()

    def recorded(self, record: Record, *, best: bool, health: Sequence[Health] = ()) -> None:
        self.times.append(perf_counter() - self._since)


def _closing_seconds(session: Session, run: RunDirectory) -> float:
    """Of epochs that have one batch alone, trained on a copy of the network, with all files in `run`."""
    closings, train = _Closings(), session.dataset.train
    count = min(session.experiment.train.batch_size, len(train))
    _fit(session, train.take(np.arange(count)), CLOSINGS, listener=closings, run=run)
    return median(closings.times)


def _fit(session: Session, train: Split, epochs: int, **options: Any) -> None:
    experiment = session.experiment
    changes = {"epochs": epochs, "early_stopping": None, "watch": None, "monitor": "loss"}
    loop.fit(
        session.model.astype(session.model.flat.dtype),
        replace(session.dataset, train=train, val=None, test=None),
        experiment.loss,
        experiment.optimizer,
        experiment.train.model_copy(update=changes),
        schedule=experiment.schedule,
        seed=experiment.seed,
        workers=session.workers,
        **options,
    )


def _validation_seconds(session: Session, split: Split) -> float:
    """For all of a split, from some samples; the first pass makes the buffers that the second uses again."""
    experiment, graph = session.experiment, session.graph
    shape = graph.shape_of(graph.logits(experiment.loss.link))
    task = task_of(experiment.loss, split.targets, shape)
    count = min(JUDGED, len(split))
    part = split.take(np.arange(count))
    with session.executor() as executor:
        executor.start(count)
        measure(executor, part, experiment.loss, task)
        started = perf_counter()
        measure(executor, part, experiment.loss, task)
    return (perf_counter() - started) * len(split) / count
