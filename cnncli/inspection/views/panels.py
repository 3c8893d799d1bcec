"""Tensors as pictures: feature maps, filters and gradients, each a sheet with one row of maps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.graph import INPUT
from cnncli.inspection.names import only_nodes
from cnncli.inspection.statistics import as_maps, statistics, strengths
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.wording import channel_name, shape_text

if TYPE_CHECKING:
    from cnncli.engine.record import Recording
    from cnncli.graph import Graph, Model, Node

Array = NDArray[Any]


def feature_maps(recording: Recording, graph: Graph, subject: Subject, pick: Pick = STRONGEST) -> Board:
    """Every layer's output. Raises UsageError if nothing fits `pick`."""
    rows = _value_rows(recording.activations, graph, subject, pick, "activation")
    return _board("feature-maps", subject, rows, pick)


def gradients(recording: Recording, model: Model, subject: Subject, pick: Pick = STRONGEST) -> Board:
    """The gradients of every layer's output, and of every parameter tensor that has filters.

    Raises UsageError if nothing fits `pick`.
    """
    values = _value_rows(recording.gradients, model.graph, subject, pick, "gradient")
    filters = _filter_rows(recording.parameter_gradients, model.graph, pick, "-gradient")
    return _board("gradients", subject, [*values, *filters], pick)


def filters(model: Model, pick: Pick = STRONGEST) -> Board:
    """Every parameter tensor with at least two axes. Raises UsageError if nothing fits `pick`."""
    return _board("filters", Subject(""), _filter_rows(model.parameters, model.graph, pick, ""), pick)


def _board(view: str, subject: Subject, rows: Iterable[tuple[int, Row]], pick: Pick) -> Board:
    """Of rows with their places in the network."""
    found = sorted(rows, key=lambda placed: placed[0])
    if found:
        pick.require({row.node: row.total for _, row in found})
    sheets = [
        Sheet(layer_stem(index, row.node, row.what, row.channels, row.total), (row,))
        for index, row in found
        if any(tile.values.size for tile in row.tiles)
    ]
    if not sheets:
        where = f"in {', '.join(pick.nodes)}" if pick.nodes else "in this network"
        raise UsageError(f"there is nothing {where} that '{view}' could draw")
    return Board(view, subject, tuple(sheets))


def _value_rows(
    arrays: Mapping[str, Array], graph: Graph, subject: Subject, pick: Pick, what: str
) -> Iterable[tuple[int, Row]]:
    names = _chosen(graph, pick, (name for name in arrays if not _repeats(graph, name, arrays)))
    for index, name in enumerate(graph.consumers):
        if name not in names or name not in arrays:
            continue
        array = arrays[name][subject.sample]
        yield index, value_row(index, graph.by_name.get(name), what, array, pick)


def _filter_rows(
    parameters: Mapping[str, Mapping[str, Array]], graph: Graph, pick: Pick, suffix: str
) -> Iterable[tuple[int, Row]]:
    names = _chosen(graph, pick, graph.by_name)
    for index, node in enumerate(graph.nodes, start=1):
        for key, array in parameters.get(node.name, {}).items():
            if node.name in names and array.ndim >= 2:
                yield index, filter_row(index, graph, node, key + suffix, array, pick)


def _repeats(graph: Graph, name: str, arrays: Mapping[str, Array]) -> bool:
    """Whether a value shows nothing that its input does not show (flatten, identity, dropout at inference)."""
    if name == INPUT or not graph.by_name[name].layer.aliases_input:
        return False
    (source,) = graph.by_name[name].inputs
    return source in arrays and np.array_equal(arrays[name].ravel(), arrays[source].ravel(), equal_nan=True)


def _chosen(graph: Graph, pick: Pick, default: Iterable[str]) -> Collection[str]:
    return only_nodes(graph, pick.nodes) if pick.nodes else set(default)


def value_row(index: int, node: Node | None, what: str, array: Array, pick: Pick) -> Row:
    """One sample's value, or its gradient: (C, H, W) as a map for each channel, anything else as one map.

    `node` is None for the network's input.
    """
    maps = as_maps(array)
    return _row(index, node, what, array, maps[:, None], pick, has_channels=array.ndim == 3 and len(maps) == len(array))


def filter_row(index: int, graph: Graph, node: Node, what: str, array: Array, pick: Pick) -> Row:
    """Weights of at least two axes, or their gradients: (O, I, h, w) as I maps for each of O filters.

    What follows a flattened image is seen as that image; other matrices are one map.
    """
    maps = _as_filters(array, graph, node)
    return _row(index, node, what, array, maps, pick, has_channels=len(maps) == len(array))


def _as_filters(array: Array, graph: Graph, node: Node) -> Array:
    if array.ndim == 4:
        return array
    before = graph.shape_of(graph.unflattened(node.inputs[0]))
    if array.ndim == 2 and len(before) == 3 and before[1:] != (1, 1) and int(np.prod(before)) == array.shape[1]:
        return array.reshape(len(array), *before)
    return array.reshape(1, 1, len(array), -1)


def _row(index: int, node: Node | None, what: str, array: Array, maps: Array, pick: Pick, *, has_channels: bool) -> Row:
    """`maps` (B, K, H, W) of all channels; there are no tiles where none of them is picked."""
    total = len(maps) if has_channels else 1
    channels = pick.of(maps) if has_channels else ()
    if has_channels:
        maps = maps[list(channels)]
    inside = maps.shape[1]
    # Of a filter's many input channels the strongest, in their order.
    if maps.size and pick.top is not None and inside > max(pick.top, 1):
        strongest = np.argsort(-strengths(maps.swapaxes(0, 1)), kind="stable")[: max(pick.top, 1)]
        maps = maps[:, np.sort(strongest)]
    blocks = maps[:, 0] if inside == 1 else maps
    of_all = statistics(array)
    name, kind = (node.name, node.layer.type) if node else (INPUT, INPUT)
    return Row(
        title=tuple(dict.fromkeys([name, kind, what, shape_text(array.shape)])),
        what=what,
        tiles=tuple(
            Tile(channel_name(channel, total), block, channel) for channel, block in zip(channels, blocks, strict=True)
        )
        if has_channels
        else (Tile("", blocks[0]),),
        node=name,
        type=kind,
        index=index,
        shape=array.shape,
        signed=what != "activation" or of_all.min < 0,
        statistics=of_all,
        total=total,
        inside=inside,
        ranked=has_channels and not pick.channels and pick.top is not None,
        array=array,
    )
