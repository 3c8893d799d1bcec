"""Steps of an optimizer: how far the loss falls, and how far its gradient says that it will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, Recording
from cnncli.inspection.census import Choose, backward_census
from cnncli.inspection.samples import Samples

Array = NDArray[Any]
Update = Callable[[Array, Array, int], None]
"""Changes flat parameters in place, by their flat gradient, in step 1, 2, ..."""

SHARES = (1.0, 1 / 2, 1 / 4, 1 / 8)
"""Of a step: where the second-order term is the rest, it is a quarter for half of it."""


@dataclass(frozen=True)
class Change:
    """Of the objective, by a step or a share of it."""

    share: float
    predicted: float
    """<gradient, change of the parameters>, the first-order term."""
    actual: float
    """The objective after the step, minus that before."""
    rest: float
    """actual - predicted: about 1/2 <change, H change>, H the Hessian."""
    ratio: float | None
    """actual / predicted; None where nothing is predicted."""

    @classmethod
    def of(cls, share: float, predicted: float, actual: float) -> Change:
        """With what follows from them."""
        return cls(share, predicted, actual, actual - predicted, actual / predicted if predicted else None)


@dataclass(frozen=True, eq=False)
class Descent:
    """What the steps did. Of the values the recordings have those of the first sample; the rest is of all."""

    before: Recording
    after: Recording
    objectives: tuple[float, ...]
    """Before the first step, and after each."""
    steps: tuple[Change, ...]
    """Each, by the gradient before it."""
    shares: tuple[Change, ...]
    """All steps together, and SHARES of the way that they went, by the gradient before the first."""
    gradient: Array
    """Before the first step, flat."""
    start: Array
    """The parameters before it, flat."""
    change: Array
    """Of the parameters by all steps, flat."""


def descend(
    executor: Executor,
    samples: Samples,
    choose: Choose,
    update: Update,
    *,
    steps: int = 1,
    training: bool = False,
) -> Descent:
    """Takes steps, all on the same samples, and leaves the executor's model where they led.

    Dropout and batch norm behave as at inference, or with `training` as in training, with the same dropout masks in
    every pass; running statistics stay as they are.
    """
    flat = executor.model.flat

    def look() -> tuple[Recording, float]:
        recording, census = backward_census(executor, samples, choose, training=training)
        assert census.objective is not None
        return recording, census.objective

    before, objective = look()
    start, gradient = flat.copy(), _flat(before)
    now, objectives, changes = before, [objective], []
    for step in range(1, steps + 1):
        old, slope = flat.copy(), _flat(now)
        update(flat, slope, step)
        now, objective = look()
        changes.append(Change.of(1.0, float(slope @ (flat - old)), objective - objectives[-1]))
        objectives.append(objective)
    end, change = flat.copy(), flat - start
    predicted = float(gradient @ change)
    shares = [Change.of(1.0, predicted, objectives[-1] - objectives[0])]
    for share in SHARES[1:]:
        flat[...] = start + share * change
        shares.append(Change.of(share, share * predicted, look()[1] - objectives[0]))
    flat[...] = end
    return Descent(before, now, tuple(objectives), tuple(changes), tuple(shares), gradient, start, change)


def _flat(recording: Recording) -> Array:
    """The parameters' gradients, laid out as Model.flat."""
    gradients = [array.ravel() for params in recording.parameter_gradients.values() for array in params.values()]
    return np.concatenate(gradients) if gradients else np.zeros(0)
