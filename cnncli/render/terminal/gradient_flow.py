"""How strong the gradient is from layer to layer, on logarithmic bars: whether it vanishes or explodes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.axes import Axis, tick_text
from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.terminal.raster import Bar
from cnncli.render.terminal.units import dead_column, zeros
from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views.flow import BackwardView

CELLS = 14
"""Columns of a bar."""
DECADES = 4
"""That an axis has at least: what differs little is to look so."""
SEEN = 0.5 / CELLS
"""The share of a bar for the least value: what is above 0 is seen."""
BARS = "bars: logarithmic, between the ends in their heading"


def flow_table(view: BackwardView) -> RenderableType:
    """A line for each layer, the input first: the gradient of its value, and that of its parameters beside them."""
    rows, layers = view.flow, view.layers
    norms = _Bars([row.norm for row in rows])
    ratios = _Bars([row.ratio for row in rows])
    with_parameters = any(row.parameter_norm is not None for row in rows)
    extents = [f"{number(layer.statistics.min, 3)}, {number(layer.statistics.max, 3)}" for layer in layers]
    of_parameters = [
        Column(
            "|dL/dW|/|W|", [number(row.ratio) if row.parameter_norm is not None else "" for row in rows], right=True
        ),
        Column(ratios.ends, ratios.cells, drop=1, note=BARS),
    ]
    table = Fitted(
        [
            Column("layer", [row.name for row in rows]),
            Column("|dL/da|", [number(row.norm) for row in rows], right=True),
            Column(norms.ends, norms.cells, drop=1, note=BARS),
            Column("min, max", extents, right=True, drop=3),
            zeros(layers),
            *dead_column(layers),
            *(of_parameters if with_parameters else []),
        ]
    )
    return Group(table, *_reading(view))


class _Bars:
    """A column of bars on one axis."""

    def __init__(self, values: Sequence[float | None]) -> None:
        axis = Axis.decades([value for value in values if value is not None], DECADES)
        low, high = tick_text(axis.low), tick_text(axis.high)
        self.ends = low + high.rjust(CELLS - len(low))
        places = [axis.place(value or 0.0) for value in values]
        self.cells = [Text() if math.isnan(place) else Bar(max(place, SEEN), CELLS) for place in places]


def _reading(view: BackwardView) -> Iterator[Text]:
    """What the numbers say of the way from the last layer to the first."""
    norms = [row for row in view.flow if row.norm and math.isfinite(row.norm)]
    if len(norms) > 1:
        first, last = norms[0], norms[-1]
        times = number(first.norm / last.norm, 3)
        yield Text(f"from {last.name} back to {first.name}: |dL/da| times {times}", "dim")
