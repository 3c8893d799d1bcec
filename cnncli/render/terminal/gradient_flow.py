"""How strong the gradient is from layer to layer, on logarithmic bars: whether it vanishes or explodes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.terminal.raster import Bar
from cnncli.render.terminal.units import dead_column, zeros
from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views import BackwardView

CELLS = 14
"""Columns of a bar."""
DECADES = 4
"""That an axis has at least: what differs little is to look so."""


@dataclass(frozen=True)
class LogAxis:
    """From 10^low to 10^high."""

    low: int
    high: int

    @classmethod
    def of(cls, values: Sequence[float | None]) -> LogAxis:
        """An axis for all values above 0."""
        logs = [math.log10(value) for value in values if value and math.isfinite(value)]
        high = math.ceil(max(logs, default=0.0))
        return cls(min(math.floor(min(logs, default=0.0)), high - DECADES), high)

    def share(self, value: float | None) -> float:
        """Where on the axis a value lies, 0 to 1; what is above 0 is seen."""
        if not value or not math.isfinite(value):
            return 0.0
        return max((math.log10(value) - self.low) / (self.high - self.low), 0.5 / CELLS)

    @property
    def ends(self) -> str:
        """Both, as far apart as a bar is long."""
        low, high = f"1e{self.low}", f"1e{self.high}"
        return low + high.rjust(CELLS - len(low))


def flow_table(view: BackwardView) -> RenderableType:
    """A line for each layer, the input first: the gradient of its value, and that of its parameters beside them."""
    rows, layers = view.flow, view.layers
    norms = LogAxis.of([row.norm for row in rows])
    ratios = LogAxis.of([row.ratio for row in rows])
    with_parameters = any(row.parameter_norm is not None for row in rows)
    extents = [f"{number(layer.statistics.min, 3)}, {number(layer.statistics.max, 3)}" for layer in layers]
    of_parameters = [
        Column(
            "|dL/dW|/|W|", [number(row.ratio) if row.parameter_norm is not None else "" for row in rows], right=True
        ),
        Column(ratios.ends, [_bar(ratios, row.ratio) for row in rows], drop=1),
    ]
    table = Fitted(
        [
            Column("layer", [row.name for row in rows]),
            Column("|dL/da|", [number(row.norm) for row in rows], right=True),
            Column(norms.ends, [_bar(norms, row.norm) for row in rows], drop=1),
            Column("min, max", extents, right=True, drop=3),
            zeros(layers),
            *dead_column(layers),
            *(of_parameters if with_parameters else []),
        ]
    )
    return Group(table, *(Text(line, "dim") for line in _reading(view)))


def _bar(axis: LogAxis, value: float | None) -> RenderableType:
    return Bar(axis.share(value), CELLS) if value else Text()


def _reading(view: BackwardView) -> list[str]:
    """What the bars mean, and what they say of the way from the last layer to the first."""
    lines = ["bars: logarithmic, between the ends in their heading"]
    norms = [row for row in view.flow if row.norm and math.isfinite(row.norm)]
    if len(norms) > 1:
        first, last = norms[0], norms[-1]
        lines.append(f"from {last.name} back to {first.name}: |dL/da| times {number(first.norm / last.norm, 3)}")
    return lines
