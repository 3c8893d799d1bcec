"""The mirror: what flows forward, and below it what flows back through the same channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.inspection.views.board import Board, Row, Sheet, layer_stem
from cnncli.inspection.views.flow import BackwardView, GradientRow, mirrored_ranking
from cnncli.inspection.views.panels import filter_row, value_row
from cnncli.inspection.views.pick import Pick
from cnncli.inspection.views.several import first_only
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.graph import Graph

Array = NDArray[Any]

SIDE_BY_SIDE = Pick(top=12)
"""More channels would make the rows of a sheet too long."""
OVERVIEW_LAYERS, OVERVIEW_CHANNELS = 12, 2
INSIDE = 9
"""Of the maps inside a filter the strongest are drawn."""

ORDER = "channels by falling mean |a dL/da|: about how much the objective would change without them"


def mirror_board(view: BackwardView, graph: Graph, pick: Pick = SIDE_BY_SIDE) -> Board:
    """A sheet of the whole network, a few channels a layer; then a sheet for every layer: activation, gradient and
    the gradient of the weights, channel below channel.

    Raises UsageError if no layer has any of the channels that `pick` names.
    """
    sheets = [_sheet(view, graph, row, pick) for row in view.distinct]
    if len(sheets) > 1:
        sheets.insert(0, _overview(view, graph, pick))
    sheets = [sheet for sheet in sheets if sheet.rows]
    if not sheets:
        raise UsageError(f"--channels: no layer has the channel {min(pick.channels)}; they are counted from 0")
    return Board("backward", view.subject, tuple(sheets), first_only(view.subject))


def _overview(view: BackwardView, graph: Graph, pick: Pick) -> Sheet:
    few = replace(pick, top=OVERVIEW_CHANNELS, channels=pick.channels[:OVERVIEW_CHANNELS])
    layers, every = view.telling(OVERVIEW_LAYERS), len(view.distinct)
    rows = [row for layer in layers for row in _rows(view, graph, layer, few)]
    notes = [ORDER] if any(row.ranked for row in rows) else []
    if any(row.inside > INSIDE for row in rows):
        notes.append(f"of filters with more than {INSIDE} maps the strongest {INSIDE}")
    if len(layers) < every:
        notes.append(f"{len(layers)} of {every} layers; the others have sheets of their own")
    title = ("activations and their gradients",)
    return Sheet("00_overview__mirror", tuple(rows), title, notes=tuple(notes), across=True)


def _sheet(view: BackwardView, graph: Graph, layer: GradientRow, pick: Pick) -> Sheet:
    rows = _rows(view, graph, layer, pick)
    short = tuple(replace(row, title=row.title[1:]) for row in rows)
    stem = layer_stem(graph.place(layer.name), layer.name, "mirror")
    title = tuple(dict.fromkeys((layer.name, layer.type)))
    return Sheet(stem, short, title, notes=(ORDER,) if any(row.ranked for row in rows) else ())


def _rows(view: BackwardView, graph: Graph, layer: GradientRow, pick: Pick) -> list[Row]:
    return [*_pair(graph, layer, pick), *_weights(view, graph, layer, pick)]


def _pair(graph: Graph, layer: GradientRow, pick: Pick) -> Iterator[Row]:
    """The activation and its gradient, of the same channels."""
    chosen = mirrored_pick(layer.activation, layer.values, pick)
    index, node = graph.place(layer.name), graph.by_name.get(layer.name)
    for what, title, array in (("activation", "activation a", layer.activation), ("gradient", "dL/da", layer.values)):
        yield from _titled(value_row(index, node, what, array, chosen), layer, title, pick)


def _weights(view: BackwardView, graph: Graph, layer: GradientRow, pick: Pick) -> Iterator[Row]:
    """The gradients of the weights of the same channels; of a layer of features, of the same features."""
    chosen = replace(mirrored_pick(layer.activation, layer.values, pick), top=INSIDE)
    for parameter in view.weights(layer.name):
        node, what = graph.by_name[layer.name], f"{parameter.key}-gradient"
        row = filter_row(graph.place(layer.name), graph, node, what, parameter.values, chosen)
        yield from _titled(row, layer, "dL/dW" if parameter.key == "weight" else f"dL/d{parameter.key}", pick)


def _titled(row: Row, layer: GradientRow, title: str, pick: Pick) -> Iterator[Row]:
    """Nothing if it has none of the channels."""
    if row.tiles:
        yield replace(row, title=(layer.name, title, shape_text(row.shape)), ranked=is_ranked(row, pick))


def mirrored_pick(activation: Array, gradient: Array, pick: Pick) -> Pick:
    """The units, channels or features, that are picked; where none is named, the strongest in the mirror's order."""
    if pick.channels:
        return pick
    units = [array.reshape(len(array), -1) for array in (activation, gradient)]
    order = range(len(activation)) if pick.top is None else mirrored_ranking(*units)[: pick.top]
    return replace(pick, channels=tuple(order))


def is_ranked(row: Row, pick: Pick) -> bool:
    """Whether a row made with the `mirrored_pick` of a pick is in the mirror's order."""
    return bool(row.channels) and not pick.channels and pick.top is not None
