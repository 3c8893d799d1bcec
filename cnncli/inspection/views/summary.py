"""The network without numbers: shapes, parameters, work and receptive fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnncli.graph import INPUT

if TYPE_CHECKING:
    from cnncli.graph import Graph, Model

Shape = tuple[int, ...]
Pair = tuple[int, int]


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that one output position sees, (height, width); strides and padding are the input's."""

    size: Pair
    stride: Pair
    padding: Pair


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


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField | None]:
    """For every value, from the layers' windows: one with extent k, stride s and p before it makes of size r, stride j
    and padding q the size r + (k - 1) * j, stride j * s and padding q + p * j.

    Where branches meet: what any of them sees. Source: Araujo, Norris, Sim, "Computing receptive fields of
    convolutional neural networks", Distill 2019.
    """
    fields: dict[str, ReceptiveField | None] = {INPUT: ReceptiveField((1, 1), (1, 1), (0, 0))}
    for node in graph.nodes:
        sources = [fields[name] for name in node.inputs]
        seen = [source for source in sources if source is not None]
        window = node.layer.window()
        fields[node.name] = None if window is None or len(seen) < len(sources) else _widen(seen, *window)
    return fields


def _widen(sources: Sequence[ReceptiveField], extent: Pair, stride: Pair, before: Pair) -> ReceptiveField:
    axes = []
    for axis in (0, 1):
        step = max(source.stride[axis] for source in sources)
        padding = max(source.padding[axis] for source in sources)
        end = max(source.size[axis] - source.padding[axis] for source in sources)
        size = padding + end + (extent[axis] - 1) * step
        axes.append((size, step * stride[axis], padding + before[axis] * step))
    (height, width) = axes
    return ReceptiveField((height[0], width[0]), (height[1], width[1]), (height[2], width[2]))
