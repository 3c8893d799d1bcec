"""The learning-rate range test: the rate is raised from update to update, and the loss says which one is good.

Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3, with fastai's smoothing and stop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np

from cnncli.data.dataset import Dataset
from cnncli.data.loading import Loader
from cnncli.engine import Executor
from cnncli.errors import DivergedError
from cnncli.graph import Model
from cnncli.losses import Loss
from cnncli.training.course import Course
from cnncli.training.divergence import BadStepError, bad_samples, not_finite
from cnncli.training.evaluation import check_targets
from cnncli.training.metrics import task_of
from cnncli.training.optimizers import Optimizer
from cnncli.training.progress import Step
from cnncli.training.schedules import Horizon, Schedule
from cnncli.training.settings import TrainSettings
from cnncli.training.stepping import Stepper
from cnncli.training.update import Updater
from cnncli.training.weights import class_weights

DECAY = 0.9
"""Of the moving average of the losses."""
EXPLODED = 4.0
"""The test ends where the average is so many times its least."""
NOISE = 1.5
"""A curve falls that falls by more than so many standard deviations of its first losses, and by FALL of their mean."""
FALL = 0.01
SAFETY = 10.0
"""The rate of the least loss is divided by this: there it is about to rise."""

Progress = Callable[[int, int], None]
"""Is told how many updates there were, and how many there are to be at most."""


@dataclass(frozen=True)
class Curve:
    """The loss over the rate, and what it says. A rate is None where the loss does not fall at all."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]  # of the batch before its update
    smoothed: tuple[float, ...]
    minimum: float | None  # where the smoothed loss is least
    halfway: float | None  # where half of its fall is done
    exploded: bool  # so that the test ended before its last rate

    @property
    def suggestion(self) -> float | None:
        """Where half of the fall is done, but a tenth at most of where the loss is least.

        The former is about where it falls most steeply, but noise, which steepness is full of, does not move it.
        """
        if self.minimum is None or self.halfway is None:
            return None
        return min(self.halfway, self.minimum / SAFETY)


def curve_of(rates: Sequence[float], losses: Sequence[float], *, exploded: bool) -> Curve:
    """With what follows from two rates or more, ascending, and their losses."""
    smoothed = smooth(losses)
    least = int(np.argmin(smoothed))
    minimum = halfway = None
    begin, deviation = _beginning(losses)
    if begin - smoothed[least] > max(NOISE * deviation, FALL * abs(begin)):
        middle = (begin + smoothed[least]) / 2
        minimum = rates[least]
        halfway = next(rate for rate, loss in zip(rates, smoothed, strict=True) if loss <= middle)
    return Curve(tuple(rates), tuple(losses), tuple(smoothed), minimum, halfway, exploded)


def find_lr(
    model: Model,
    dataset: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    settings: TrainSettings,
    *,
    low: float,
    high: float,
    steps: int,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Curve:
    """Trains a copy of the model for `steps` updates, in which the rate rises from `low` to `high` by equal factors.

    Everything else is as in training. It ends early where the loss explodes. Raises DataError if targets do not fit or
    a sample is not finite, UsageError if the settings do not fit, DivergedError if there is no curve: the loss is not
    finite before the first update, or explodes after it.
    """
    check_targets(loss, model.graph, dataset)
    planned: list[float] = np.geomspace(low, high, steps).tolist()
    losses: list[float] = []
    exploded = False
    copy = model.astype(model.flat.dtype)
    updates = _updates(copy, dataset, loss, optimizer, settings, _Planned(rates=tuple(planned)), seed, workers)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), closing(updates):
        try:
            for update in islice(updates, steps):
                exploded = _explodes([*losses, update.loss])
                if exploded:
                    break
                losses.append(update.loss)
                if progress is not None:
                    progress(len(losses), steps)
        except BadStepError as bad:
            _require_usable(bad, first=not losses)
            exploded = True
    if len(losses) < 2:
        raise DivergedError(f"the loss explodes at the first learning rate, {low:g}: begin lower with --from")
    return curve_of(planned[: len(losses)], losses, exploded=exploded)


class _Planned(Schedule):
    """A rate for each update, of an optimizer whose own is 1."""

    rates: tuple[float, ...]

    def multiplier(self, step: int, horizon: Horizon, judged: Sequence[float] = ()) -> float:
        return self.rates[step]


def _updates(
    model: Model,
    dataset: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    settings: TrainSettings,
    schedule: _Planned,
    seed: int,
    workers: int | None,
) -> Generator[Step]:
    """One after the other, epoch after epoch, as in training. Raises BadStepError."""
    graph, targets = model.graph, dataset.train.targets
    shape = graph.shape_of(graph.logits(loss.link))
    loader = Loader.of(dataset, loss, graph, settings.batch_size, seed)
    weights = class_weights(targets, shape[0], settings.class_weight) if settings.class_weight else None
    updater = Updater.new(model, optimizer.model_copy(update={"lr": 1.0}), settings)
    course = Course(task_of(loss, targets, shape), "train", loader.batches)
    horizon = Horizon(len(schedule.rates), settings.horizon(len(targets)).steps_per_epoch)
    with Executor(model, workers=workers, seed=seed, frozen=updater.frozen) as executor:
        stepper = Stepper(executor, loss, updater, schedule, horizon, weights, course)
        while True:
            for batch in loader.epoch(course.epochs + 1):
                update = stepper.train_on(batch, loader.waited)
                if update is not None:
                    yield update
            course.next_epoch()


def _require_usable(bad: BadStepError, *, first: bool) -> None:
    """Raises DataError or DivergedError where the step is not the learning rate's fault."""
    samples = bad.batch.indices[bad_samples(bad.batch.x)]
    if len(samples):
        raise not_finite(samples, "train")
    if first:
        fix = "look for nan or huge numbers in the initial weights"
        raise DivergedError(f"the loss is {bad.loss} before the first update: {fix}")


def _beginning(losses: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of the losses before they move, the latter from the differences of neighbours (von
    Neumann et al., The Mean Square Successive Difference, 1941), in which a slope does not count."""
    tenth, quarter = losses[: max(len(losses) // 10, 1)], losses[: max(len(losses) // 4, 2)]
    return float(np.mean(tenth)), math.sqrt(float(np.mean(np.diff(quarter) ** 2)) / 2)


def smooth(losses: Sequence[float]) -> list[float]:
    """The moving average of DECAY, over the sum of its weights, so that it begins with the first loss."""
    found, average = [], 0.0
    for place, value in enumerate(losses, start=1):
        average = DECAY * average + (1 - DECAY) * value
        found.append(average / (1 - DECAY**place))
    return found


def _explodes(losses: Sequence[float]) -> bool:
    smoothed = smooth(losses)
    least = min(smoothed)
    return smoothed[-1] - least > (EXPLODED - 1) * abs(least)
