"""From batches to updates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from cnncli.data.loading import Batch
from cnncli.engine import Executor, LossObjective
from cnncli.losses import Loss
from cnncli.training.course import Course
from cnncli.training.divergence import BadStepError, bad_totals
from cnncli.training.health import Update
from cnncli.training.progress import Step
from cnncli.training.schedules import Horizon, Schedule
from cnncli.training.update import Updater, norm_of
from cnncli.training.weights import sample_weights

Array = NDArray[Any]


@dataclass
class Stepper:
    """Differentiates batch after batch, and makes an update of every `accumulate` of them."""

    executor: Executor
    loss: Loss
    updater: Updater
    schedule: Schedule
    horizon: Horizon
    class_weights: Array | None  # (K,)
    course: Course
    _gathered: list[tuple[float, int]] = field(default_factory=list)  # loss and size of the batches of the next update

    def train_on(self, batch: Batch, waited: float) -> Step | None:
        """What was done, if with this batch an update was made; else more batches are waited for.

        `waited` is for how long data were waited for since the training began. Raises BadStepError.
        """
        course = self.course
        weight, size = None, float(len(batch.x))
        if self.class_weights is not None:
            weight, size = sample_weights(self.class_weights, batch.targets)
        objective = LossObjective.of(self.loss, self.executor.model.graph, batch.targets, weight)
        result = self.executor.differentiate(batch.x, objective, training=True, step=course.batches_seen)
        norm = norm_of(result.flat_gradient)
        layer = bad_totals(result.totals)
        if not math.isfinite(result.value) or not math.isfinite(norm) or layer is not None:
            raise BadStepError(batch, objective, result.value, layer)
        self.executor.update_buffers(result.totals)
        course.batches += 1
        course.totals.add(result.values, result.output, batch.targets)
        self._gathered.append((result.value, len(batch.x)))
        gradient = self.updater.gather(result.flat_gradient, size, last=course.at_end_of_epoch)
        if gradient is None:
            return None
        return self._update(gradient, norm if len(self._gathered) == 1 else norm_of(gradient), waited)

    def rate(self) -> float:
        """The learning rate of the last update, or of the one whose batches have been gathered."""
        made = self.course.updates_by_now(self.updater.settings.accumulate)
        return self.updater.optimizer.lr * self.schedule.multiplier(made - 1, self.horizon, self.course.monitored)

    def _update(self, gradient: Array, norm: float, waited: float) -> Step:
        course, model = self.course, self.executor.model
        lr = self.rate()
        before = (model.flat.copy(), gradient.copy()) if course.at_end_of_epoch else None
        self.updater.apply(gradient, norm, lr)
        if before is not None:
            course.last_update = Update.between(before[0], model, before[1])
        course.step += 1
        samples = sum(size for _, size in self._gathered)
        loss = sum(value * size for value, size in self._gathered) / samples
        self._gathered.clear()
        seconds = course.clock.step(samples, waited)
        scores = course.totals.scores()
        return Step(course.epochs + 1, course.batches, course.step, loss, lr, norm, seconds, samples, scores)
