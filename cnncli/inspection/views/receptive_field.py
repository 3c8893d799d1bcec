"""What of the input image a number sees, as a picture: a frame around it, and the derivative inside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.receptive import Box, Pair
from cnncli.inspection.statistics import ranking
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.inspection.views.panels import value_row
from cnncli.inspection.views.pick import Pick

if TYPE_CHECKING:
    from cnncli.graph import Graph
    from cnncli.inspection.trace import Trace
    from cnncli.inspection.trace.result import Field

Array = NDArray[Any]

CHANNELS = 4
"""How many channels of the input are drawn: the strongest."""


def receptive_field_board(trace: Trace, graph: Graph) -> Board:
    """Of a trace that was asked for the receptive field."""
    number, field = trace.number, trace.field
    assert field is not None
    rows = (_input(trace, field), _row((f"d {number.name} / d input",), "gradient", field.gradient, field.inside))
    stem = layer_stem(graph.place(number.node), number.node, "receptive-field")
    notes = (_extent(field), *_notes(field))
    return Board("trace", trace.subject, (Sheet(stem, rows, notes=notes),))


def _input(trace: Trace, field: Field) -> Row:
    """The input with a frame around what the number sees, and what lies in the frame."""
    title = (trace.number.name, trace.number.type, "receptive field")
    picture = trace.subject.picture
    if picture is None or picture.shape[:2] != field.input.shape[1:]:
        return _row(title, "activation", field.input, field.inside)
    tiles = (Tile("input", picture, boxes=(field.inside,)), *_within(picture, field.inside))
    return Row(title, "input", tiles, node=INPUT, type=INPUT, index=0)


def _row(title: tuple[str, ...], what: str, maps: Array, box: Box) -> Row:
    """The strongest channels in their order, framed; of a single one what lies in the frame, too."""
    row = value_row(0, None, what, maps, Pick(channels=tuple(sorted(ranking(maps)[:CHANNELS]))))
    tiles = tuple(replace(tile, boxes=(box,)) for tile in row.tiles)
    inside = _within(maps[0], box) if len(maps) == 1 else ()
    return replace(row, title=title, tiles=(*tiles, *inside), signed=True)


def _within(picture: Array, box: Box) -> tuple[Tile, ...]:
    """What lies in the frame, if anything does."""
    top, left, bottom, right = box
    part = picture[top:bottom, left:right]
    return (Tile("what it sees", part),) if part.size else ()


def _extent(field: Field) -> str:
    """As tables of receptive fields have it."""
    known: tuple[tuple[str, Pair | None], ...] = (
        ("size", field.size),
        ("stride", field.stride),
        ("padding", field.padding),
    )
    pairs = ((name, *pair) for name, pair in known if pair is not None)
    return "receptive field: " + ", ".join(f"{name} {h if h == w else f'{h}x{w}'}" for name, h, w in pairs)


def _notes(field: Field) -> tuple[str, ...]:
    """The frame in words."""
    top, left, bottom, right = field.inside
    area = (bottom - top) * (right - left)
    if not area:
        return ("it sees nothing of the image, only padding",)
    sees = f"sees {_rows(field.inside)}; the gradient is not 0 in {field.touched} of these {area} pixels"
    return (sees, f"with the padding: {_rows(field.box)}") if field.box != field.inside else (sees,)


def _rows(box: Box) -> str:
    top, left, bottom, right = box
    return f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"
