"""The training loop."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Dataset
from cnncli.data.loading import Batch, Loader
from cnncli.engine import Executor, LossObjective
from cnncli.graph import Model
from cnncli.losses import Loss, are_classes
from cnncli.training.advice import advise
from cnncli.training.checkpoint import TrainingState
from cnncli.training.divergence import Moment, are_finite, first_bad_tensor
from cnncli.training.evaluation import EvalResult, check_targets, measure
from cnncli.training.health import Checkup, Health, Update
from cnncli.training.history import Record, best_of
from cnncli.training.interruption import Interruption
from cnncli.training.keeping import Keeper, fingerprint
from cnncli.training.metrics import Scores, Totals, task_of
from cnncli.training.optimizers import Optimizer
from cnncli.training.pace import Clock, Pace
from cnncli.training.progress import Listener, Plan, Step
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.schedules import Constant, Schedule
from cnncli.training.settings import TrainSettings
from cnncli.training.stopping import has_stalled, monitored
from cnncli.training.update import Updater, norm_of
from cnncli.training.watch import Watch, plan_watch
from cnncli.training.weights import class_weights, sample_weights

Array = NDArray[Any]


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
        training = _Training(executor, dataset, loss, updater, schedule or Constant(), seed, run, interruption)
        training.listener = listener or Listener()
        return training.run(resume, notes)


def check(
    model: Model, dataset: Dataset, loss: Loss, optimizer: Optimizer, settings: TrainSettings, *, seed: int = 0
) -> None:
    """Raises what `fit` would raise before its first step; nothing is computed and nothing is written."""
    check_targets(loss, model.graph, dataset)
    updater = Updater.new(model, optimizer, settings)
    with Executor(model, workers=1, seed=seed) as executor:
        _Training(executor, dataset, loss, updater, Constant(), seed, None, Interruption())


class _Training:
    """Everything that changes while a model is trained."""

    def __init__(
        self,
        executor: Executor,
        dataset: Dataset,
        loss: Loss,
        updater: Updater,
        schedule: Schedule,
        seed: int,
        run: RunDirectory | None,
        interruption: Interruption,
    ) -> None:
        self.executor, self.model, self.dataset, self.loss = executor, executor.model, dataset, loss
        self.updater, self.settings, self.schedule, self.seed = updater, updater.settings, schedule, seed
        self.interruption = interruption
        self.listener = Listener()
        settings, train, graph = self.settings, dataset.train, self.model.graph
        shape = graph.shape_of(graph.logits(loss.link))
        self.task = task_of(loss, train.targets, shape, settings.metrics, settings.monitor)
        self.loader = Loader(
            dataset, settings.batch_size, seed, shape[0] if are_classes(train.targets, shape) else None
        )
        self.horizon = settings.horizon(len(train))
        wanted = settings.class_weight
        self.class_weights = None if wanted is None else class_weights(train.targets, shape[0], wanted)
        self.keeper = Keeper(run, self.model, settings.checkpoint_minutes)
        self.checkup = None if run is None else Checkup(executor, train, settings.batch_size)
        self.watched = plan_watch(settings, self.model, loss, dataset)
        self.watch: Watch | None = None
        self.step = 0  # updates made
        self.epochs = 0  # finished
        self.batches = 0  # of the epoch at work, that are done
        self.totals = Totals(self.task)  # of this epoch
        self.gathered: list[tuple[float, int]] = []  # loss and size of the batches of the update to come
        self.last_update: Update | None = None  # of the epoch
        self.history: list[Record] = []
        self.monitored: list[float] = []  # lower is better
        self.warned: set[str] = set()
        self.clock = Clock(Pace())

    def run(self, resume: TrainingState | None, notes: tuple[str, ...]) -> TrainResult:
        """All of it."""
        if resume is not None:
            self._go_on_from(resume)
        self.listener.started(self._plan(notes))
        if self.watched is not None and self.keeper.run is not None:
            self.watch = Watch(self.watched, self.executor, self.loss, self.dataset, self.keeper.run.frames)
            self.watch.after(self.step)
        self._save()  # what there is to go back to
        while not self._is_over() and not self.interruption.requested:
            self._epoch()
        if self.interruption.requested:
            self._save()
        if self.watch is not None:
            self.watch.after(self.step, ended=True)
        self.keeper.restore_best()
        result = self._result(self._test())
        self.keeper.finish(result)
        self.listener.ended(result)
        return result

    def _go_on_from(self, state: TrainingState) -> None:
        """Takes over what the state holds besides the weights, which the model has."""
        updater = self.updater
        if set(state.slots) == set(updater.slots):  # else they are another optimizer's
            updater.slots, updater.updates = state.slots, state.updates
        if updater.average is not None and state.average is not None:
            updater.average = state.average
        self.step, self.epochs, self.batches = state.step, state.epochs, state.batches
        self.totals, self.clock = Totals.from_json(self.task, state.totals), Clock(Pace(**state.pace))
        self.history, self.warned = list(state.history), set(state.warned)
        self.monitored = monitored(self.history, self.task)
        self.last_update = None if state.last_update is None else Update(**state.last_update)
        with updater.averaged():
            self.keeper.go_on_from(state, best_of(self.history, self.task))

    def _is_over(self) -> bool:
        return self.epochs >= self.settings.epochs or has_stalled(self.monitored, self.settings.early_stopping)

    @property
    def _at_end_of_epoch(self) -> bool:
        return self.batches == self.loader.batches

    def _epoch(self) -> None:
        """The rest of an epoch; unless it is interrupted, or training ends within it."""
        if self.batches and not self._at_end_of_epoch and self._is_due():  # interrupted before it was done
            self._record()
            if self._is_over() or self.interruption.requested:
                return
        self.clock.start()
        for batch in self.loader.epoch(self.epochs + 1, self.batches):
            self._train_on(batch)
            if self.gathered or self._at_end_of_epoch:
                continue
            self._watch()
            if self.interruption.requested:
                return
            if self._is_due():
                self._record()
                if self._is_over() or self.interruption.requested:
                    return
            elif self.keeper.is_due():
                self._save()
            self.clock.start()
        self._watch()
        if not self.interruption.requested:
            self._record()

    def _is_due(self) -> bool:
        """Whether it is time for a validation. There is one at the very end in any case."""
        every = self.settings.validate_every
        if self.history and self.history[-1].step == self.step:
            return False
        if every.steps is not None and self.step % every.steps == 0:
            return True
        ended = self.epochs + 1  # epochs, if this is the end of one
        by_epochs = every.epochs is not None and ended % every.epochs == 0
        return self._at_end_of_epoch and (by_epochs or ended >= self.settings.epochs)

    def _train_on(self, batch: Batch) -> None:
        """The gradient of a batch, and the update, unless more batches are waited for."""
        weight, size = None, float(len(batch.x))
        if self.class_weights is not None:
            weight, size = sample_weights(self.class_weights, batch.targets)
        objective = LossObjective.of(self.loss, self.model.graph, batch.targets, weight)
        count = self.epochs * self.loader.batches + self.batches  # so that no two batches get the same dropout
        result = self.executor.differentiate(batch.x, objective, training=True, step=count)
        norm = norm_of(result.flat_gradient)
        if not (math.isfinite(result.value) and math.isfinite(norm) and are_finite(result.totals)):
            self.keeper.write_logs()
            raise self._moment().failed(self.executor, batch, objective, count, result.value)
        self.executor.update_buffers(result.totals)
        self.batches += 1
        self.totals.add(result.values, result.output, batch.targets)
        self.gathered.append((result.value, len(batch.x)))
        gradient = self.updater.gather(result.flat_gradient, size, last=self._at_end_of_epoch)
        if gradient is not None:
            self._update(gradient, norm if self.settings.accumulate == 1 else norm_of(gradient))

    def _update(self, gradient: Array, norm: float) -> None:
        lr = self._rate(self.step)
        before = (self.model.flat.copy(), gradient.copy()) if self._at_end_of_epoch and self.checkup else None
        self.updater.apply(gradient, norm, lr)
        if before is not None:
            self.last_update = Update.between(before[0], self.model, before[1])
        self.step += 1
        samples = sum(size for _, size in self.gathered)
        loss = sum(value * size for value, size in self.gathered) / samples
        self.gathered.clear()
        seconds = self.clock.step(samples, self.loader.waited)
        step = Step(self.epochs + 1, self.batches, self.step, loss, lr, norm, seconds, samples, self.totals.scores())
        self.keeper.note(step)
        self.listener.step(step)

    def _rate(self, step: int) -> float:
        """The learning rate of the update after so many others."""
        return self.updater.optimizer.lr * self.schedule.multiplier(step, self.horizon, self.monitored)

    def _record(self) -> None:
        """Measures, where that is due, and files it away: a validation, the end of an epoch, or both.

        If it is interrupted meanwhile, nothing has happened.
        """
        val = self._validate() if self._is_due() else None
        if self.interruption.requested:
            return
        self.clock.lap()
        pace = self.clock.pace
        record = Record(
            epoch=self.epochs + 1,
            step=self.step,
            lr=self._rate(self.step - 1),
            train=self.totals.scores(),
            val=val,
            seconds=pace.epoch_seconds,
            images_per_second=pace.epoch_images_per_second,
            data_wait=pace.data_wait,
        )
        self.history.append(record)
        self.monitored = monitored(self.history, self.task)
        health = self._health(record)
        warnings = self._warnings(health)
        if self._at_end_of_epoch:
            self.epochs, self.batches, self.totals = self.epochs + 1, 0, Totals(self.task)
            pace.next_epoch()
        best = best_of(self.history, self.task)
        is_best = best is not None and best.step == self.step
        self._save(best=record if is_best else None)
        self.listener.recorded(record, best=is_best, health=health)
        for text in warnings:
            self.listener.warned(text)

    def _validate(self) -> Scores | None:
        """The scores on the val split, of the weights that are kept; None without such a split, or if interrupted."""
        self._require_finite()
        if self.dataset.val is None:
            return None
        with self.updater.averaged():
            scores = measure(self.executor, self.dataset.val, self.loss, self.task, self.interruption)
        if scores is not None and not math.isfinite(scores.loss):
            raise self._moment().diverged(f"after step {self.step} the validation loss is {scores.loss}")
        return scores

    def _health(self, record: Record) -> tuple[Health, ...]:
        """Of every layer, at the end of an epoch."""
        if self.checkup is None or self.last_update is None or not self._at_end_of_epoch:
            return ()
        health = self.checkup.health(self.last_update)
        self.keeper.add_health(health, record)
        return health

    def _warnings(self, health: tuple[Health, ...]) -> list[str]:
        """What looks wrong, and has not been said before."""
        found = [warning for warning in advise(health, self.history, self.task) if warning.kind not in self.warned]
        self.warned.update(warning.kind for warning in found)
        return [warning.text for warning in found]

    def _watch(self) -> None:
        if self.watch is not None:
            self.watch.after(self.step)

    def _save(self, *, best: Record | None = None) -> None:
        """Everything as it is now; the weights that are kept as the best too, if this is the moment of that record."""
        self._require_finite()
        self.clock.lap()
        self.keeper.save(self._state())
        with self.updater.averaged():
            if best is not None:
                self.keeper.keep_best(best.epoch, best.step)
            self.keeper.save_last(self.epochs, self.step)

    def _state(self) -> TrainingState:
        optimizer = self.updater.optimizer
        return TrainingState(
            seed=self.seed,
            data=fingerprint(self.dataset),
            optimizer={"type": optimizer.type, **optimizer.model_dump(mode="json")},
            updates=self.updater.updates,
            step=self.step,
            epochs=self.epochs,
            batches=self.batches,
            totals=self.totals.to_json(),
            pace=asdict(self.clock.pace),
            history=tuple(self.history),
            warned=tuple(sorted(self.warned)),
            weights=self.model.state_dict(),
            slots=self.updater.slots,
            average=self.updater.average,
            last_update=None if self.last_update is None else asdict(self.last_update),
        )

    def _require_finite(self) -> None:
        """The last update may have been the one too many."""
        bad = first_bad_tensor(self.model)
        if bad is not None:
            when = f"after step {self.step}" if self.step else "before the first step"
            self.keeper.write_logs()
            raise self._moment().diverged(f"{when} {bad} holds numbers that are not finite")

    def _moment(self) -> Moment:
        unwatched = None if self.watch is None else self.watch.diverged(self.step)
        return Moment(self.keeper.run, self.epochs, self.step, self._rate(self.step), unwatched)

    def _plan(self, notes: tuple[str, ...]) -> Plan:
        return Plan(
            epochs=self.settings.epochs,
            batches=self.loader.batches,
            updates=self.horizon.steps_per_epoch,
            batch_size=self.settings.batch_size,
            samples={name: len(split) for name, split in self.dataset.splits.items()},
            task=self.task.name,
            judged_by=("train" if self.dataset.val is None else "val", self.task.monitor),
            run=None if self.keeper.run is None else self.keeper.run.path,
            watch=self.watched,
            done=self.epochs,
            step=self.step,
            notes=notes,
        )

    def _test(self) -> EvalResult | None:
        """Of the best weights; None without a test split, or if interrupted."""
        if self.dataset.test is None or self.interruption.requested:
            return None
        scores = measure(self.executor, self.dataset.test, self.loss, self.task, self.interruption)
        return None if scores is None else EvalResult.of("test", self.dataset.test, scores)

    def _result(self, test: EvalResult | None) -> TrainResult:
        self.clock.lap()
        pace = self.clock.pace
        return TrainResult(
            run=None if self.keeper.run is None else self.keeper.run.path,
            epochs=self.epochs,
            step=self.step,
            history=tuple(self.history),
            best=best_of(self.history, self.task),
            test=test,
            seconds=pace.seconds,
            images_per_second=pace.images_per_second,
            interrupted=self.interruption.requested,
            stopped_early=self.epochs < self.settings.epochs and self._is_over(),
        )
