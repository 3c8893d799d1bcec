"""How much an attribution depends on what was learned, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.terminal.raster import Bar
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.views.attribution import SanityStep

WIDTH = 20
"""Of the bar for a correlation of 1."""


def randomization(steps: Sequence[SanityStep]) -> RenderableType:
    """A row for each layer, in the order in which they were drawn anew."""
    inputs = len(steps[0].correlations)
    columns = [
        Column("drawn anew, down to", ["nothing", *(step.node for step in steps)]),
        Column("rank correlation", ["1.00", *(f"{step.mean:.2f}" for step in steps)], right=True),
        Column("", [Bar(share, WIDTH) for share in (1.0, *(step.mean for step in steps))], drop=2),
    ]
    if any(step.correlations != step.with_signs for step in steps):
        columns.append(Column("with signs", ["1.00", *(f"{step.mean_with_signs:.2f}" for step in steps)], right=True))
    if inputs > 1:
        ranges = ["", *(f"{min(step.correlations):.2f} to {max(step.correlations):.2f}" for step in steps)]
        columns.append(Column(f"of {plural(inputs, 'input')}", ranges, drop=1))
    unchanged = [step.node for step in steps if not step.changed]
    parts: list[RenderableType] = [Fitted(columns)]
    if unchanged:
        parts.append(Text(f"Drawn anew, these numbers stay what they are: {', '.join(unchanged)}.", "dim"))
    return Group(*parts)
