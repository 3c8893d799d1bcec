"""The network without numbers: shapes, parameters, work and receptive fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnncli.inspection.receptive import ReceptiveField, receptive_fields

if TYPE_CHECKING:
    from cnncli.graph import Model

Shape = tuple[int, ...]


@dataclass(frozen=True)
class SummaryRow:
    """One layer; `receptive_field` is None where every output sees the whole input."""

    name: str
    type: str
    inputs: tuple[str, ...]
    shape: Shape
    parameters: int
    macs: int
    receptive_field: ReceptiveField | None


@dataclass(frozen=True)
class SummaryView:
    """The network without numbers; MACs are multiply-accumulate operations for one sample."""

    input_shape: Shape
    layers: tuple[SummaryRow, ...]
    parameters: int
    macs: int


def summary_view(model: Model) -> SummaryView:
    """Shapes, parameters, work and receptive fields."""
    fields = receptive_fields(model.graph)
    rows = tuple(
        SummaryRow(
            name=node.name,
            type=node.layer.type,
            inputs=node.inputs,
            shape=node.shape,
            parameters=sum(array.size for array in model.parameters.get(node.name, {}).values()),
            macs=node.layer.macs(node.input_shapes, node.shape),
            receptive_field=fields[node.name],
        )
        for node in model.graph.nodes
    )
    parameters, macs = sum(row.parameters for row in rows), sum(row.macs for row in rows)
    return SummaryView(model.graph.input_shape, rows, parameters, macs)
