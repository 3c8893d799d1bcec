"""Where the rows of a training's tables lie along it: in epochs, with fractions where a row lies inside one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Row = Mapping[str, object]


@dataclass(frozen=True)
class Clock:
    """What steps are in epochs.

    Each epoch ends with a row, so that the last row of an epoch that others follow tells at which step it ended. In an
    only epoch nothing tells how far its rows are: if there are several they lie where their steps are.
    """

    unit: str  # epoch or step
    steps: tuple[float, ...]  # at which epochs ended, rising from 0
    epochs: tuple[float, ...]  # as many had ended by then

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Clock:
        """From the rows of metrics.csv, in their order."""
        last: dict[float, float] = {}
        for row in rows:
            epoch, step = as_number(row.get("epoch")), as_number(row.get("step"))
            if math.isfinite(epoch) and math.isfinite(step):
                last[epoch] = step
        ends = [(0.0, 0.0), *((step, epoch) for epoch, step in list(last.items())[:-1])]
        if any(step <= before for (before, _), (step, _) in pairwise(ends)):
            ends = ends[:1]  # no such steps can be relied on
        steps, epochs = zip(*ends, strict=True)
        return cls("step" if len(last) == 1 and len(rows) > 1 else "epoch", steps, epochs)

    def place(self, row: Row) -> float:
        """nan for a row that does not say."""
        epoch, step = as_number(row.get("epoch")), as_number(row.get("step"))
        if self.unit == "step":
            return step
        if len(self.steps) == 1 or not math.isfinite(epoch + step):
            return epoch
        if step > self.steps[-1]:  # the epoch at work: as long as the one before it
            epochs, steps = self.epochs[-1] - self.epochs[-2], self.steps[-1] - self.steps[-2]
            place = self.epochs[-1] + (step - self.steps[-1]) * epochs / steps
        else:
            place = float(np.interp(step, self.steps, self.epochs))
        return min(max(place, epoch - 1), epoch)


def as_number(value: object) -> float:
    """Also of a text; nan for what is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
