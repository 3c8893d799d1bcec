"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.batches import batch_count, shuffled_batches
from cnncli.data.dataset import Dataset
from cnncli.engine import Executor, LossObjective
from cnncli.errors import DataError, DivergedError
from cnncli.graph import INPUT, Model
from cnncli.losses import Loss
from cnncli.training.checkpoint import TrainingState, save_state, save_weights
from cnncli.training.divergence import bad_samples, first_bad_tensor, first_bad_value
from cnncli.training.evaluation import EvalResult, check_targets, measure
from cnncli.training.health import Checkup, Update
from cnncli.training.history import Epoch, best_of
from cnncli.training.interruption import Interruption
from cnncli.training.metrics import Totals, task_of
from cnncli.training.optimizers import Optimizer
from cnncli.training.progress import Listener, Plan, Step
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.settings import TrainSettings
from cnncli.training.tables import Cell
from cnncli.training.watch import Watch, WatchPlan, plan_watch

Array = NDArray[Any]


def fit(
    model: Model,
    dataset: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    settings: TrainSettings,
    *,
    seed: int = 0,
    workers: int | None = None,
    run: RunDirectory | None = None,
    listener: Listener | None = None,
) -> TrainResult:
    """Trains the model in place; afterwards it holds the weights of the best epoch.

    The best epoch is that of the highest accuracy on the validation split, at equal accuracy of the lowest loss; for
    regression and multi-label, where there is no telling accuracy, of the lowest loss. Without a validation split
    the scores of the training itself stand in. Ctrl-C ends the training after the step at work; all is saved.

    Raises DataError if targets do not fit or a sample is not finite, UsageError if `settings.watch` does not fit the
    network, DivergedError at the first number that is not finite for another reason (the files in `run` stay those of
    the last finished epoch), OutputError if a result cannot be written.
    """
    check_targets(loss, model.graph, dataset)
    watched = None if run is None else plan_watch(settings, model, loss, dataset)
    listener = listener or Listener()
    started = perf_counter()
    with (
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),  # divergence is found by the loss
        Executor(model, workers=workers, seed=seed) as executor,
        Interruption() as interruption,
    ):
        training = _Training(executor, dataset, loss, optimizer, settings, seed, run, listener, interruption)
        listener.started(training.plan(watched))
        if run is not None and watched is not None:
            training.watch = Watch(watched, executor, loss, dataset, run.frames)
            training.watch.after(training.step)
        training.save()  # what there is to go back to if the first epoch diverges
        while len(training.history) < settings.epochs and not interruption.requested:
            training.run_epoch()
        if interruption.requested:
            training.require_finite()
            training.save()
        if training.watch is not None:
            training.watch.after(training.step, ended=True)
        training.restore_best()
        test = None
        if dataset.test is not None and not interruption.requested:
            scores = measure(executor, dataset.test, loss, interruption)
            test = None if scores is None else EvalResult.of("test", dataset.test, scores)
        result = training.result(test, perf_counter() - started)
    listener.ended(result)
    return result


@dataclass
class _Training:
    """Everything that changes while a model is trained, and the files it is kept in."""

    executor: Executor
    dataset: Dataset
    loss: Loss
    optimizer: Optimizer
    settings: TrainSettings
    seed: int
    run: RunDirectory | None
    listener: Listener
    interruption: Interruption
    step: int = 0  # updates made
    batches: int = 0  # of this epoch, that are done
    samples: int = 0  # trained on since the beginning
    seconds: float = 0.0  # that this took, without validation and watching
    history: list[Epoch] = field(default_factory=list)
    best_weights: dict[str, Array] = field(default_factory=dict)
    lines: list[dict[str, int | float]] = field(default_factory=list)  # for steps.jsonl, not yet written
    health: list[dict[str, Cell]] = field(default_factory=list)  # of the finished epochs
    update: Update | None = None  # the last one of the epoch
    watch: Watch | None = None

    def __post_init__(self) -> None:
        self.model = self.executor.model
        self.slots = self.optimizer.new_state(self.model.flat)
        shape = self.model.graph.shape_of(self.model.graph.logits(self.loss.link))
        self.task = task_of(self.loss, self.dataset.train.targets, shape)
        self.totals = Totals(self.task)  # of this epoch
        train, size = self.dataset.train, self.settings.batch_size
        self.last_batch = batch_count(len(train), size)  # of every epoch
        self.checkup = None if self.run is None else Checkup(self.executor, train, size)

    def plan(self, watched: WatchPlan | None) -> Plan:
        return Plan(
            epochs=self.settings.epochs,
            batches=self.last_batch,
            batch_size=self.settings.batch_size,
            samples={name: len(split) for name, split in self.dataset.splits.items()},
            task=self.task.name,
            judged_by=("train" if self.dataset.val is None else "val", self.task.monitor),
            run=None if self.run is None else self.run.path,
            watch=watched,
        )

    def run_epoch(self) -> None:
        """Every training sample once, then validation; unless it is interrupted."""
        started, trained = perf_counter(), self.seconds
        for indices in self._batches():
            self._train_on(indices)
            if self.interruption.requested:
                return
        self.require_finite()
        val = None
        if self.dataset.val is not None:
            val = measure(self.executor, self.dataset.val, self.loss, self.interruption)
            if val is None:
                return
            if not math.isfinite(val.loss):
                raise self._diverged(f"after step {self.step} the validation loss is {val.loss}")
        epoch = Epoch(
            epoch=len(self.history) + 1,
            step=self.step,
            lr=self.optimizer.lr,
            train=self.totals.scores(),
            val=val,
            seconds=perf_counter() - started,
            images_per_second=self.totals.samples / (self.seconds - trained),
        )
        self._close(epoch)

    def _batches(self) -> Iterable[Array]:
        train = self.dataset.train
        batches = shuffled_batches(len(train), self.settings.batch_size, self.seed, len(self.history) + 1)
        return islice(batches, self.batches, None)

    def _train_on(self, indices: Array) -> None:
        """One step of the optimizer."""
        started = perf_counter()
        x, targets = self.dataset.train.batch(indices)
        objective = LossObjective.of(self.loss, self.model.graph, targets)
        result = self.executor.differentiate(x, objective, training=True, step=self.step, update_buffers=True)
        value = result.value
        if not math.isfinite(value):
            source = first_bad_value(self.executor, x, self.step)
            if source == INPUT:
                raise self._bad_data(indices[bad_samples(x)])
            where = "" if source is None else f", and the first value that is not finite is {source}"
            raise self._diverged(f"in step {self.step + 1} the loss is {value}{where}")
        self.step += 1
        self.batches += 1
        before = self.model.flat.copy() if self.checkup and self.batches == self.last_batch else None
        self.optimizer.update(self.model.flat, result.flat_gradient, self.slots, self.step)
        if before is not None:
            self.update = Update.between(before, self.model, result.flat_gradient)
        self.totals.add(result.values, result.output, targets)
        self._tell(value, len(indices), perf_counter() - started)
        if self.watch is not None:
            self.watch.after(self.step)

    def _tell(self, value: float, samples: int, seconds: float) -> None:
        self.samples += samples
        self.seconds += seconds
        epoch, lr = len(self.history) + 1, self.optimizer.lr
        self.lines.append({"epoch": epoch, "step": self.step, "loss": value, "lr": lr, "seconds": round(seconds, 6)})
        self.listener.step(Step(epoch, self.batches, self.step, value, lr, seconds, samples, self.totals.scores()))

    def _close(self, epoch: Epoch) -> None:
        """Files the epoch away."""
        self.history.append(epoch)
        if self.checkup is not None and self.update is not None:
            self.health += (found.row(epoch.epoch, epoch.step) for found in self.checkup.health(self.update))
        self.batches, self.totals = 0, Totals(self.task)
        best = best_of(self.history, self.task)
        is_best = best is not None and best.epoch == epoch.epoch
        if is_best:
            self.best_weights = {key: array.copy() for key, array in self.model.state_dict().items()}
            if self.run is not None:
                save_weights(self.run.best, self.model, {"epoch": epoch.epoch})
        self.save()
        self.listener.epoch_ended(epoch, best=is_best)

    def save(self) -> None:
        """Everything as it is now, into the run directory."""
        if self.run is None:
            return
        save_weights(self.run.last, self.model, {"epoch": len(self.history), "step": self.step})
        save_state(self.run.state, self._state(), self.model)
        if self.history:
            self.run.write_metrics([epoch.row() for epoch in self.history])
        if self.health:
            self.run.write_health(self.health)
        self._write_steps()

    def _write_steps(self) -> None:
        if self.run is not None and self.lines:
            self.run.append_steps(self.lines)
        self.lines.clear()

    def _state(self) -> TrainingState:
        return TrainingState(
            seed=self.seed,
            optimizer={"type": self.optimizer.type, **self.optimizer.model_dump(mode="json")},
            step=self.step,
            batches=self.batches,
            totals=self.totals.to_json() if self.batches else None,
            history=tuple(self.history),
            weights=self.model.state_dict(),
            slots=self.slots,
        )

    def require_finite(self) -> None:
        """The last update may have been the one too many."""
        bad = first_bad_tensor(self.model)
        if bad is not None:
            raise self._diverged(f"after step {self.step} {bad} holds numbers that are not finite")

    def _bad_data(self, samples: Array) -> DataError:
        self._write_steps()
        numbers = ", ".join(map(str, sorted(samples.tolist())[:10])) + (", ..." if len(samples) > 10 else "")
        which = f"sample {numbers}" if len(samples) == 1 else f"samples {numbers}"
        return DataError(
            f"the training data hold a number that is not finite: {which} of the training split, "
            f"in the batch of step {self.step + 1}; remove or replace it"
        )

    def _diverged(self, what: str) -> DivergedError:
        self._write_steps()
        if self.step == 0:
            fix = "that is before the first update: look for nan or huge numbers in the data and the initial weights"
        else:
            lr = self.optimizer.lr
            fix = f"try a lower learning rate: --set optimizer.lr={min(lr / 10, 0.01):g} (it was {lr:g})"
        kept = ""
        if self.run is not None:
            when = f"after epoch {len(self.history)}" if self.history else "before training"
            kept = f"; the weights {when} are in {self.run.last}"
        unwatched = None if self.watch is None else self.watch.diverged(self.step)
        if unwatched is not None:
            kept += f"; the last frame is missing: {unwatched}"
        return DivergedError(f"training diverged in epoch {len(self.history) + 1}: {what}; {fix}{kept}")

    def restore_best(self) -> None:
        if self.best_weights:
            self.model.load_state_dict(self.best_weights)

    def result(self, test: EvalResult | None, seconds: float) -> TrainResult:
        return TrainResult(
            run=None if self.run is None else self.run.path,
            history=tuple(self.history),
            best=best_of(self.history, self.task),
            test=test,
            seconds=seconds,
            images_per_second=self.samples / self.seconds if self.samples else 0.0,
            interrupted=self.interruption.requested,
        )
