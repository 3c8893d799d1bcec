"""Inputs that a channel would like best: gradient ascent on the input (Erhan et al. 2009, "Visualizing higher-layer
features of a deep network"), kept from noise by jitter, a blurred gradient and decay (Olah et al. 2017, "Feature
visualization")."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent

Array = NDArray[Any]

RATE = 0.05
"""What the first step adds to a number of the input, in the root mean square, as a share of the range."""
DECAY = 0.005
"""Share of its distance from the middle that each number of the input loses in a step."""
JITTER = 2
"""Pixels by which an image is shifted at most, to and fro, while its gradient is taken; small ones by SHARE of their
size, and none in the last quarter of the steps."""
SHARE = 1 / 12
TOGETHER = 64
"""Channels that are climbed at a time."""
NOISE = 0.1
"""The standard deviation of the noise at the start, as a share of the range."""


@dataclass(frozen=True, eq=False)
class Range:
    """What numbers inputs have, for each channel, (C, 1, ..., 1): they stay between `low` and `high`."""

    low: Array
    middle: Array
    high: Array


@dataclass(frozen=True)
class Ascent:
    """How an input is made. In each step its gradient, blurred and divided by its root mean square, is added, times
    RATE of the range, which falls to 0 in the course of the `steps`; `seed` is that of the noise and the jitter."""

    steps: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        at_least("--steps", self.steps)
        at_least("--seed", self.seed, 0)


@dataclass(frozen=True, eq=False)
class Climbed:
    """The inputs that were made, one for each channel, and how much they excite it."""

    x: Array  # (K, *input_shape)
    values: Array  # (K,) the mean of the channel
    start: Array  # (K,) the same for the noise at the start


@dataclass(frozen=True, eq=False)
class ChannelObjective:
    """The mean over all positions of one channel of the value `at`, for every sample another: `channels` is (N,)."""

    at: str
    channels: Array
    mean: ClassVar[bool] = False

    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        gradient = np.zeros_like(y)
        places = np.arange(y.shape[-1]), self.channels[samples]
        np.moveaxis(gradient, -1, 0)[places] = 1 / math.prod(y.shape[1:-1])
        return channel_means(np.moveaxis(y, -1, 0))[places], gradient


def climb(
    executor: Executor,
    at: str,
    channels: Sequence[int],
    within: Range,
    ascent: Ascent,
    progress: Progress = silent,
) -> Climbed:
    """For each of the channels of the value `at`, from noise, the same for all; where no gradient leads away from it,
    from other noise, stronger."""
    parts = [np.array(channels[start : start + TOGETHER]) for start in range(0, len(channels), TOGETHER)]
    climbed = []
    needed = replace(executor.model, graph=executor.model.graph.up_to(at))
    with Executor(needed, workers=executor.workers) as above:
        for done, part in enumerate(parts):

            def tell(step: int, done: int = done) -> None:
                progress(done * ascent.steps + step, len(parts) * ascent.steps)

            climbed.append(_climb(above, ChannelObjective(at, part), within, ascent, tell))
    return Climbed(*(np.concatenate([getattr(each, name) for each in climbed]) for name in ("x", "values", "start")))


def _climb(
    executor: Executor, objective: ChannelObjective, within: Range, ascent: Ascent, tell: Callable[[int], None]
) -> Climbed:
    rng = np.random.default_rng(ascent.seed)
    shape, dtype = executor.model.graph.input_shape, executor.model.flat.dtype
    span = within.high - within.low
    first = within.middle + NOISE * span * rng.standard_normal(shape)
    x = np.repeat(np.clip(first, within.low, within.high)[None], len(objective.channels), axis=0)
    start = executor.differentiate(x.astype(dtype), objective).values
    for step in range(ascent.steps):
        reach = min(JITTER, int(SHARE * min(shape[1:], default=0))) if step < 0.75 * ascent.steps else 0
        shift = rng.integers(-reach, reach, size=2, endpoint=True)
        shifted = _rolled(x, shift).astype(dtype)
        gradient = executor.differentiate(shifted, objective, everything=True).input_gradient
        assert gradient is not None
        stuck = ~gradient.reshape(len(x), -1).any(axis=1)  # at a rectifier that is closed everywhere
        x[stuck] = rng.uniform(within.low, within.high, shape)
        uphill = _unit(blurred(_rolled(gradient, -shift).astype(np.float64)))
        x += RATE * (1 - step / ascent.steps) * span * uphill
        x += DECAY * (within.middle - x)
        np.clip(x, within.low, within.high, out=x)
        tell(step + 1)
    made = x.astype(dtype)
    return Climbed(made, executor.differentiate(made, objective).values, start)


def channel_means(values: Array) -> Array:
    """(N, C) of values (N, C, *positions)."""
    return np.asarray(values.reshape(*values.shape[:2], -1).mean(axis=2))


def blurred(x: Array) -> Array:
    """Each pixel of images (N, C, H, W) a mean of itself (1/2) and its neighbours (1/4), in both directions; at the
    edge itself stands in for what is beyond. Other inputs are left as they are."""
    if x.ndim != 4:
        return x
    for axis in (2, 3):
        size = x.shape[axis]
        before, after = np.maximum(np.arange(size) - 1, 0), np.minimum(np.arange(size) + 1, size - 1)
        x = x / 2 + (x.take(before, axis) + x.take(after, axis)) / 4
    return x


def _rolled(x: Array, shift: Any) -> Array:
    """Images alone."""
    return np.roll(x, shift, axis=(2, 3)) if x.ndim == 4 else x


def _unit(gradient: Array) -> Array:
    """Each sample's gradient divided by its root mean square; 0 where there is none."""
    axes = tuple(range(1, gradient.ndim))
    size = np.sqrt(np.square(gradient).mean(axis=axes, keepdims=True))
    return np.asarray(np.divide(gradient, size, out=np.zeros_like(gradient), where=size > 0))
