"""A learning rate, by trying all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Unpack

from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.errors import UsageError
from cnncli.inspection.options import at_least
from cnncli.inspection.views.charts import Charts
from cnncli.inspection.views.find_lr import find_lr_view
from cnncli.training.find_lr import Curve, Progress
from cnncli.training.find_lr import find_lr as search


@dataclass(frozen=True)
class LearningRates:
    """The curve, and what it says in words."""

    name: str  # of the experiment
    optimizer: str
    lr: float  # as it is configured
    curve: Curve
    notes: tuple[str, ...]

    def charts(self) -> Charts:
        """The loss over the rate."""
        curve = self.curve
        return find_lr_view(self.name, curve.rates, curve.losses, curve.smoothed, self._uprights, self.notes)

    @property
    def _uprights(self) -> tuple[tuple[float, str], ...]:
        named = ((self.curve.suggestion, "suggested"), (self.curve.minimum, "least"))
        return tuple((rate, name) for rate, name in named if rate is not None)


def find_lr(
    network: Network | None = None,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> LearningRates:
    """Trains a copy of the network while the learning rate rises from `low` to `high`, and watches the loss.

    It makes at most `steps` updates: the test ends where the loss explodes. Everything but the schedule is as in
    training, and nothing is written. Raises what `load` does, UsageError, DataError, and DivergedError if there is no
    curve.
    """
    at_least("--steps", steps, 10)
    for option, rate in (("--from", low), ("--to", high)):
        if not (math.isfinite(rate) and rate > 0):
            raise UsageError(f"{option} {rate:g}: expected a learning rate above 0")
    if not high > low:
        raise UsageError(f"--to {high:g}: expected more than --from, which is {low:g}")
    session = resolve(network, options)
    experiment = session.experiment
    curve = search(
        session.model,
        session.dataset,
        experiment.loss,
        experiment.optimizer,
        experiment.train,
        low=low,
        high=high,
        steps=steps,
        seed=experiment.seed,
        workers=session.workers,
        progress=progress,
    )
    optimizer = experiment.optimizer
    return LearningRates(experiment.name, optimizer.type, optimizer.lr, curve, tuple(_notes(curve, optimizer.lr, high)))


def _notes(curve: Curve, lr: float, high: float) -> list[str]:
    if curve.suggestion is None or curve.minimum is None:
        end = f", and explodes at {curve.rates[-1]:.2g}: begin lower with --from" if curve.exploded else ""
        return [f"the loss falls at no rate{end}"]
    notes = [
        f"suggested: --set optimizer.lr={curve.suggestion:.2g} (configured: {lr:g})",
        f"half of the loss's fall is done at {curve.halfway:.2g}; the loss is least at {curve.minimum:.2g}, of which a"
        " tenth is the most to take",
    ]
    if curve.minimum == curve.rates[-1]:
        notes.append(f"it still falls at {high:g}: the best rate may be higher; go on with --to {100 * high:g}")
    return notes
