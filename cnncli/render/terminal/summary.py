"""A network as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.text import count, magnitude
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.inspection.receptive import ReceptiveField
    from cnncli.inspection.views.summary import SummaryView


def summary(view: SummaryView) -> RenderableType:
    """The layers with shapes, parameters, work and receptive fields, and the totals."""
    rows = view.layers
    return Group(
        Fitted(
            [
                Column("layer", ["input", *(row.name for row in rows)], total="total"),
                Column("type", ["", *(row.type for row in rows)], drop=3),
                Column("inputs", ["", *(", ".join(row.inputs) for row in rows)], drop=4),
                Column("output", [shape_text(shape) for shape in (view.input_shape, *(row.shape for row in rows))]),
                Column(
                    "parameters",
                    ["", *(count(row.parameters) if row.parameters else "" for row in rows)],
                    right=True,
                    total=count(view.parameters),
                ),
                Column(
                    "MACs",
                    ["", *(magnitude(row.macs) if row.macs else "" for row in rows)],
                    right=True,
                    drop=1,
                    total=magnitude(view.macs),
                ),
                Column("receptive field", ["", *(_field(row.receptive_field) for row in rows)], drop=2),
            ]
        ),
        Text("MACs: multiply-accumulate operations for one sample.", "dim"),
        Text("Receptive field: size / stride / padding.", "dim"),
    )


def _field(field: ReceptiveField | None) -> str:
    if field is None:
        return "all"
    pairs = (field.size, field.stride, field.padding)
    return " / ".join(str(pair[0]) if pair[0] == pair[1] else shape_text(pair) for pair in pairs)
