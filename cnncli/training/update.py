"""From gradients to weights: accumulation, clipping, the optimizer's step and the moving average."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.graph import Graph, Model
from cnncli.training.checkpoint import TrainingState
from cnncli.training.optimizers import Optimizer, Slots
from cnncli.training.settings import TrainSettings

Array = NDArray[Any]


def frozen_nodes(settings: TrainSettings, graph: Graph) -> frozenset[str]:
    """Those whose names match a pattern of `freeze`. Raises UsageError where a pattern matches none."""
    frozen: set[str] = set()
    for pattern in settings.freeze:
        matching = [node.name for node in graph.nodes if fnmatchcase(node.name, pattern)]
        if not matching:
            raise UsageError(f"train.freeze: there is no layer {pattern!r}; 'cnncli summary' lists the layers")
        frozen.update(matching)
    return frozenset(frozen)


def spans_of(model: Model, frozen: frozenset[str]) -> tuple[slice, ...]:
    """Where in `Model.flat` the parameters lie that are trained, as few slices as there can be.

    Raises UsageError if there is none.
    """
    spans: list[slice] = []
    start = 0
    for name, params in model.parameters.items():
        stop = start + sum(array.size for array in params.values())
        if name not in frozen and stop > start:
            joined = bool(spans) and spans[-1].stop == start
            spans[-1:] = [slice(spans[-1].start, stop)] if joined else [*spans[-1:], slice(start, stop)]
        start = stop
    if not spans:
        raise UsageError(
            "there is nothing to train: all parameters are frozen"
            if frozen
            else "there is nothing to train: the network has no parameters"
        )
    return tuple(spans)


def norm_of(gradient: Array) -> float:
    """The Euclidean norm; not finite where, and only where, an element is not."""
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(np.dot(gradient, gradient))
        if not math.isfinite(square) and np.isfinite(gradient).all():  # only the square was too large
            square = float(np.square(gradient, dtype=np.float64).sum())
    return math.sqrt(square) if square >= 0 else math.nan


@dataclass
class Updater:
    """What turns the gradients of batches into new weights, and all that it carries from step to step.

    Clipping is that of torch.nn.utils, clip_grad_norm_ and clip_grad_value_; the average that of
    torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn: after the first update the weights themselves, then
    average + (1 - decay) * (weights - average).
    """

    model: Model
    optimizer: Optimizer
    settings: TrainSettings
    slots: Slots
    average: Array | None = None  # laid out as Model.flat; None without `ema`, and before the first update
    updates: int = 0  # made with these slots

    def __post_init__(self) -> None:
        self.frozen = frozen_nodes(self.settings, self.model.graph)
        self.spans = spans_of(self.model, self.frozen)
        self._sum: Array | None = None  # of gradients, each times the weight of its batch
        self._weight = 0.0
        self._batches = 0

    @classmethod
    def new(cls, model: Model, optimizer: Optimizer, settings: TrainSettings) -> Updater:
        """Before the first update."""
        return cls(model, optimizer, settings, optimizer.new_state(model.flat))

    def go_on_from(self, state: TrainingState) -> None:
        """Takes over what another one carried; where that was another kind of optimizer, it begins afresh."""
        if state.optimizer.get("type") == self.optimizer.type and set(state.slots) == set(self.slots):
            self.slots, self.updates = state.slots, state.updates
        if self.settings.ema is not None:
            self.average = state.average

    def gather(self, gradient: Array, weight: float, *, last: bool) -> Array | None:
        """Takes the gradient of a batch, the mean over samples of that `weight` together. Returns the gradient of the
        step that is to be made now, and None where more batches are waited for; after the `last` none is."""
        if self.settings.accumulate == 1:
            return gradient
        if self._sum is None:
            self._sum = np.zeros_like(gradient)
        self._sum += gradient * gradient.dtype.type(weight)
        self._weight += weight
        self._batches += 1
        if self._batches < self.settings.accumulate and not last:
            return None
        mean: Array = self._sum / gradient.dtype.type(self._weight or 1)  # 0 where every sample's class weighs nothing
        self._sum, self._weight, self._batches = None, 0.0, 0
        return mean

    def apply(self, gradient: Array, norm: float, lr: float) -> None:
        """One step, with a gradient of that norm, which is written over where it is clipped."""
        if self.settings.clip_norm is not None:
            gradient *= gradient.dtype.type(min(1.0, self.settings.clip_norm / (norm + 1e-6)))
        if self.settings.clip_value is not None:
            np.clip(gradient, -self.settings.clip_value, self.settings.clip_value, out=gradient)
        self.updates += 1
        self.optimizer.update(self.model.flat, gradient, self.slots, self.updates, lr=lr, spans=self.spans)
        self._follow()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Meanwhile the model holds the weights that are kept: the moving average, if there is one."""
        if self.average is None:
            yield
            return
        trained = self.model.flat.copy()
        self.model.flat[...] = self.average
        try:
            yield
        finally:
            self.model.flat[...] = trained

    def _follow(self) -> None:
        if self.settings.ema is None:
            return
        if self.average is None:
            self.average = self.model.flat.copy()
            return
        change = self.model.flat - self.average
        change *= change.dtype.type(1 - self.settings.ema)
        self.average += change
