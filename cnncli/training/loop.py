"""Training a network: everything in, the result out."""

from __future__ import annotations

import numpy as np

from cnncli.data.dataset import Dataset
from cnncli.engine import Executor
from cnncli.graph import Model
from cnncli.losses import Loss
from cnncli.training.checkpoint import TrainingState
from cnncli.training.evaluation import check_targets
from cnncli.training.interruption import Interruption
from cnncli.training.optimizers import Optimizer
from cnncli.training.progress import Listener
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.schedules import Constant, Schedule
from cnncli.training.settings import TrainSettings
from cnncli.training.trainer import Trainer
from cnncli.training.update import Updater


def fit(
    model: Model,
    dataset: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    settings: TrainSettings,
    *,
    schedule: Schedule | None = None,
    seed: int = 0,
    workers: int | None = None,
    run: RunDirectory | None = None,
    resume: TrainingState | None = None,
    listener: Listener | None = None,
    notes: tuple[str, ...] = (),
) -> TrainResult:
    """Trains the model in place; afterwards it holds its best weights.

    They are those of the validation with the best monitored number: by default the highest accuracy, at equal accuracy
    the lowest loss, and for regression and multi-label, where there is no telling accuracy, the lowest loss. Without a
    validation split the scores of the training itself stand in. With `settings.ema` it is the moving average that is
    validated and kept. Ctrl-C ends the training after the update at work; all is saved.

    With `resume`, a state whose weights the model has already, the training goes on from there, to the same bits as if
    it had never stopped; `run` is then the directory that the state is from, or one that has its logs. `notes` are
    handed on to the listener.

    Raises DataError if targets do not fit or a sample is not finite, UsageError if the settings do not fit the network
    or the data, DivergedError at the first number that is not finite for another reason (the files in `run` stay those
    of the last checkpoint), OutputError if a result cannot be written.
    """
    check_targets(loss, model.graph, dataset)
    updater = Updater.new(model, optimizer, settings)
    with (
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),  # divergence is found by looking
        Executor(model, workers=workers, seed=seed, frozen=updater.frozen) as executor,
        Interruption() as interruption,
    ):
        training = Trainer(executor, dataset, loss, updater, schedule or Constant(), seed, run, interruption)
        training.listener = listener or Listener()
        return training.run(resume, notes)


def check(
    model: Model, dataset: Dataset, loss: Loss, optimizer: Optimizer, settings: TrainSettings, *, seed: int = 0
) -> None:
    """Raises what `fit` would raise before its first step; nothing is computed and nothing is written."""
    check_targets(loss, model.graph, dataset)
    updater = Updater.new(model, optimizer, settings)
    with Executor(model, workers=1, seed=seed) as executor:
        Trainer(executor, dataset, loss, updater, Constant(), seed, None, Interruption())
