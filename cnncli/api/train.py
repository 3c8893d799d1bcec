"""Training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

from cnncli.api.given import Config
from cnncli.api.session import Dtype, load
from cnncli.training.evaluation import check_targets
from cnncli.training.loop import fit
from cnncli.training.progress import Listener
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.watch import plan_watch


def train(
    config: Config,
    *,
    out: str | PathLike[str] | None = None,
    seed: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    set: Sequence[str] = (),
    workers: int | None = None,
    dtype: Dtype = "float32",
    listener: Listener | None = None,
) -> TrainResult:
    """Trains the network and leaves a run directory: `out`, or `runs/<name>-<time>`.

    `seed` stands for `set=["seed=..."]`; `checkpoint` gives the weights to start from. Raises ConfigError,
    DataError, UsageError if `out` is in use, DivergedError, OutputError. After Ctrl-C everything is saved, and the
    result says so.
    """
    changes = [*set, *([] if seed is None else [f"seed={seed}"])]
    session = load(config, checkpoint=checkpoint, set=changes, workers=workers, dtype=dtype)
    experiment, dataset = session.experiment, session.dataset
    # Before there is a directory to leave behind:
    check_targets(experiment.loss, experiment.graph, dataset)
    plan_watch(experiment.train, session.model, experiment.loss, dataset)
    assert experiment.data is not None  # there is a data set
    resolved = replace(experiment, data=experiment.data.resolved(dataset))
    run = RunDirectory.create(experiment.name, resolved.to_yaml(), None if out is None else Path(out))
    return fit(
        session.model,
        dataset,
        experiment.loss,
        experiment.optimizer,
        experiment.train,
        seed=experiment.seed,
        workers=workers,
        run=run,
        listener=listener,
    )
