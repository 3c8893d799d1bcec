"""The learning-rate range test: the rate is raised from update to update, and the loss says which one is good.

Smith, Cyclical Learning Rates for Training Neural Networks (2017), section 3.3, with fastai's smoothing and stop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Dataset
from cnncli.data.loading import Batch, Loader
from cnncli.engine import Executor, LossObjective
from cnncli.errors import DataError, DivergedError
from cnncli.graph import Model
from cnncli.losses import Loss
from cnncli.training.divergence import bad_samples
from cnncli.training.evaluation import check_targets
from cnncli.training.optimizers import Optimizer
from cnncli.training.settings import TrainSettings
from cnncli.training.update import Updater, norm_of
from cnncli.training.weights import class_weights, sample_weights

Array = NDArray[Any]

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
    updates = _updates(model.astype(model.flat.dtype), dataset, loss, optimizer, settings, seed, workers)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), closing(updates):
        for rate, (value, update) in zip(planned, updates, strict=False):
            exploded = not math.isfinite(value) or _explodes([*losses, value])
            if exploded:
                break
            losses.append(value)
            update(rate)
            if progress is not None:
                progress(len(losses), steps)
    if len(losses) < 2:
        raise DivergedError(f"the loss explodes at the first learning rate, {low:g}: begin lower with --from")
    return curve_of(planned[: len(losses)], losses, exploded=exploded)


def _updates(
    model: Model,
    dataset: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    settings: TrainSettings,
    seed: int,
    workers: int | None,
) -> Generator[tuple[float, Callable[[float], None]]]:
    """For each update without end: the loss before it, and what makes it with a given rate."""
    graph, train = model.graph, dataset.train
    shape = graph.shape_of(graph.logits(loss.link))
    loader = Loader.of(dataset, loss, graph, settings.batch_size, seed)
    weights = class_weights(train.targets, shape[0], settings.class_weight) if settings.class_weight else None
    updater = Updater.new(model, optimizer, settings)
    gathered: list[tuple[float, int]] = []  # loss and size of the batches of the update to come
    with Executor(model, workers=workers, seed=seed, frozen=updater.frozen) as executor:
        for step, batch in enumerate(_endless(loader)):
            weight, size = (None, float(len(batch.x))) if weights is None else sample_weights(weights, batch.targets)
            objective = LossObjective.of(loss, graph, batch.targets, weight)
            result = executor.differentiate(batch.x, objective, training=True, step=step, update_buffers=True)
            if not math.isfinite(result.value):
                _require_usable(batch, result.value, step)
            gathered.append((result.value, len(batch.x)))
            gradient = updater.gather(result.flat_gradient, size, last=False)
            if gradient is not None:
                value = sum(each * samples for each, samples in gathered) / sum(samples for _, samples in gathered)
                gathered.clear()
                yield value, partial(updater.apply, gradient, norm_of(gradient))


def _endless(loader: Loader) -> Iterator[Batch]:
    return (batch for epoch in count(1) for batch in loader.epoch(epoch))


def _require_usable(batch: Batch, value: float, step: int) -> None:
    """Raises DataError or DivergedError where the loss `value` is not the learning rate's fault."""
    bad = batch.indices[bad_samples(batch.x)]
    if len(bad):
        raise DataError(f"the training data hold a number that is not finite: sample {bad[0]} of the training split")
    if step == 0:
        fix = "look for nan or huge numbers in the initial weights"
        raise DivergedError(f"the loss is {value} before the first update: {fix}")


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
