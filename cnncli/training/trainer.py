"""What is done when in a training."""

from __future__ import annotations

import math

from cnncli.data.dataset import Dataset
from cnncli.data.loading import Batch, Loader
from cnncli.engine import Executor
from cnncli.losses import Loss
from cnncli.training.advice import advise
from cnncli.training.checkpoint import TrainingState
from cnncli.training.course import Course
from cnncli.training.divergence import BadStepError, Moment, first_bad_tensor, require_finite_inputs
from cnncli.training.evaluation import EvalResult, measure
from cnncli.training.health import Checkup, Health
from cnncli.training.history import Best, Record
from cnncli.training.interruption import Interruption
from cnncli.training.keeping import Keeper, fingerprint
from cnncli.training.metrics import Scores, task_of
from cnncli.training.progress import Listener, Plan
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.schedules import Schedule
from cnncli.training.stepping import Stepper
from cnncli.training.stopping import has_stalled
from cnncli.training.update import Updater
from cnncli.training.watch import Watch, plan_watch
from cnncli.training.weights import class_weights


class Trainer:
    """A training from its first step to its last, or from a state to its last: what is done when."""

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
        self.updater, self.settings = updater, updater.settings
        self.interruption = interruption
        self.listener = Listener()
        settings, train, graph = self.settings, dataset.train, self.model.graph
        shape = graph.shape_of(graph.logits(loss.link))
        self.task = task_of(loss, train.targets, shape, settings.metrics, settings.monitor)
        self.loader = Loader.of(dataset, loss, graph, settings.batch_size, seed)
        self.course = Course(self.task, "train" if dataset.val is None else "val", self.loader.batches)
        wanted = settings.class_weight
        weights = None if wanted is None else class_weights(train.targets, shape[0], wanted)
        horizon = settings.horizon(len(train))
        self.stepper = Stepper(executor, loss, updater, schedule, horizon, weights, self.course)
        self.keeper = Keeper(run, self.model, settings.checkpoint_minutes)
        self.checkup = None if run is None else Checkup(executor, train, settings.batch_size)
        self.watched = plan_watch(settings, self.model, loss, dataset)
        self.watch: Watch | None = None
        self.fingerprint = fingerprint(dataset)

    def run(self, resume: TrainingState | None, notes: tuple[str, ...]) -> TrainResult:
        """All of it."""
        if resume is not None:
            self._go_on_from(resume)
        self.listener.started(self._plan(notes))
        if self.watched is not None and self.keeper.run is not None:
            self.watch = Watch(self.watched, self.executor, self.loss, self.dataset, self.keeper.run.frames)
            self.watch.after(self.course.step)
        self._save()  # what there is to go back to
        while not self._is_over() and not self.interruption.requested:
            self._epoch()
        if self.interruption.requested:
            self._save()
        if self.watch is not None:
            self.watch.after(self.course.step, ended=True)
        self.keeper.restore_best()
        result = self._result(self._test())
        self.keeper.finish(result)
        self.listener.ended(result)
        return result

    def _go_on_from(self, state: TrainingState) -> None:
        """Takes over what the state holds besides the weights, which the model has."""
        self.updater.go_on_from(state)
        self.course.go_on_from(state)
        with self.updater.averaged():
            self.keeper.go_on_from(state, self.course.best())

    def _is_over(self) -> bool:
        course, settings = self.course, self.settings
        return course.epochs >= settings.epochs or has_stalled(course.monitored, settings.early_stopping)

    def _epoch(self) -> None:
        """The rest of an epoch; unless it is interrupted, or training ends within it."""
        course = self.course
        if course.batches and not course.at_end_of_epoch and self._is_due():  # interrupted before it was done
            self._record()
            if self._is_over() or self.interruption.requested:
                return
        course.clock.start()
        for batch in self.loader.epoch(course.epochs + 1, course.batches):
            if self._train_on(batch) and not course.at_end_of_epoch:
                if self.interruption.requested:
                    return
                if self._is_due():
                    self._record()
                    if self._is_over() or self.interruption.requested:
                        return
                elif self.keeper.is_due():
                    self._save()
                course.clock.start()
        if not self.interruption.requested:
            self._record()

    def _train_on(self, batch: Batch) -> bool:
        """Whether an update was made."""
        try:
            step = self.stepper.train_on(batch, self.loader.waited)
        except BadStepError as bad:
            raise self._moment().failed(self.executor, bad, self.course.batches_seen) from None
        if step is None:
            return False
        self.keeper.note(step)
        self.listener.step(step)
        if self.watch is not None:
            self.watch.after(step.step)
        return True

    def _is_due(self) -> bool:
        """Whether it is time for a validation. There is one at the very end in any case."""
        course, every = self.course, self.settings.validate_every
        if course.is_recorded:
            return False
        if every.steps is not None and course.step % every.steps == 0:
            return True
        ended = course.epochs + 1  # epochs, if this is the end of one
        by_epochs = every.epochs is not None and ended % every.epochs == 0
        return course.at_end_of_epoch and (by_epochs or ended >= self.settings.epochs)

    def _record(self) -> None:
        """Measures, where that is due, and files it away: a validation, the end of an epoch, or both.

        If it is interrupted meanwhile, nothing has happened.
        """
        course = self.course
        val = self._validate() if self._is_due() else None
        if self.interruption.requested:
            return
        record = course.record(self.stepper.rate(), val)
        health = self._health(record)
        warnings = self._warnings(health)
        if course.at_end_of_epoch:
            course.next_epoch()
        best = course.best()
        is_best = best is not None and best.step == record.step
        self._save(best=best if is_best else None)
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
            require_finite_inputs(self.dataset.val, "val")
            raise self._moment().diverged(f"after step {self.course.step} the validation loss is {scores.loss}")
        return scores

    def _health(self, record: Record) -> tuple[Health, ...]:
        """Of every layer, at the end of an epoch."""
        if self.checkup is None or self.course.last_update is None or not self.course.at_end_of_epoch:
            return ()
        health = self.checkup.health(self.course.last_update)
        self.keeper.add_health(health, record)
        return health

    def _warnings(self, health: tuple[Health, ...]) -> list[str]:
        """What looks wrong, and has not been said before."""
        course = self.course
        found = [
            each
            for each in advise(health, course.history, self.task, self.updater.optimizer.lr)
            if each.kind not in course.warned
        ]
        course.warned.update(each.kind for each in found)
        return [each.text for each in found]

    def _save(self, *, best: Best | None = None) -> None:
        """Everything as it is now; the weights that are kept as the best too, if this is the best moment."""
        self._require_finite()
        optimizer = self.updater.optimizer
        state = TrainingState(
            data=self.fingerprint,
            optimizer={"type": optimizer.type, **optimizer.model_dump(mode="json")},
            updates=self.updater.updates,
            weights=self.model.state_dict(),
            slots=self.updater.slots,
            average=self.updater.average,
            **self.course.to_state(),
        )
        self.keeper.save(state)
        with self.updater.averaged():
            if best is not None:
                self.keeper.keep_best(best)
            self.keeper.save_last(state.epochs, state.step)

    def _require_finite(self) -> None:
        """The last update may have been the one too many."""
        bad = first_bad_tensor(self.model)
        if bad is not None:
            step = self.course.step
            when = f"after step {step}" if step else "before the first step"
            raise self._moment().diverged(f"{when} {bad} holds numbers that are not finite")

    def _moment(self) -> Moment:
        self.keeper.write_logs_if_possible()
        course = self.course
        unwatched = None if self.watch is None else self.watch.diverged(course.step)
        return Moment(self.keeper.run, course.epochs, course.step, self.updater.optimizer.lr, unwatched)

    def _plan(self, notes: tuple[str, ...]) -> Plan:
        return Plan(
            epochs=self.settings.epochs,
            batches=self.loader.batches,
            updates=self.stepper.horizon.steps_per_epoch,
            batch_size=self.settings.batch_size,
            samples={name: len(split) for name, split in self.dataset.splits.items()},
            task=self.task.name,
            judged_by=(self.course.judge, self.task.monitor),
            run=None if self.keeper.run is None else self.keeper.run.path,
            watch=self.watched,
            done=self.course.epochs,
            step=self.course.step,
            notes=notes,
        )

    def _test(self) -> EvalResult | None:
        """Of the best weights; None without a test split, or if interrupted."""
        if self.dataset.test is None or self.interruption.requested:
            return None
        scores = measure(self.executor, self.dataset.test, self.loss, self.task, self.interruption)
        return None if scores is None else EvalResult.of("test", self.dataset.test, scores)

    def _result(self, test: EvalResult | None) -> TrainResult:
        course = self.course
        course.clock.lap()
        return TrainResult(
            run=None if self.keeper.run is None else self.keeper.run.path,
            epochs=course.epochs,
            step=course.step,
            history=tuple(course.history),
            best=course.best(),
            test=test,
            seconds=course.clock.pace.seconds,
            images_per_second=course.clock.pace.images_per_second,
            interrupted=self.interruption.requested,
            stopped_early=course.epochs < self.settings.epochs and self._is_over(),
        )
