"""Several inputs at once: a row for each, the same channels below one another in the same colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.statistics import ranking, statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile
from cnncli.inspection.views.panels import value_row
from cnncli.inspection.views.pick import Pick

if TYPE_CHECKING:
    from cnncli.graph import Graph

Array = NDArray[Any]

MOST = 12
"""Inputs that are drawn, at most."""


def with_all_inputs(
    board: Board, arrays: Mapping[str, Array], graph: Graph, subjects: Sequence[Subject], pick: Pick
) -> Board:
    """The board of the first input with a row for each, wherever a sheet shows one of `arrays`, (N, *shape)."""
    if len(subjects) == 1:
        return board
    shown = subjects[:MOST]
    sheets = [_sheet(sheet, arrays, graph, shown, pick) for sheet in board.sheets]
    left_out = f"the first {len(shown)} of {len(subjects)} inputs are drawn"
    notes = (*board.notes, left_out) if len(shown) < len(subjects) else board.notes
    together = replace(board.subject, input=f"{len(shown)} inputs", picture=None, true=None, predicted=None)
    return Board(board.view, together, tuple(sheets), notes)


def first_only(subject: Subject) -> tuple[str, ...]:
    """Notes for a board with the values and gradients of one of several samples, and the weights' gradients."""
    if subject.samples == 1:
        return ()
    whose = f"a and dL/da are of the first of {subject.samples:,} samples, {subject.input}; dL/dW is of all"
    return whose, f"L is of all: where it is a mean, dL/da is 1/{subject.samples:,} of that of the sample's own loss"


def _sheet(sheet: Sheet, arrays: Mapping[str, Array], graph: Graph, subjects: Sequence[Subject], pick: Pick) -> Sheet:
    (first,) = sheet.rows
    if first.what not in ("activation", "gradient"):
        return sheet
    values = arrays[first.node][: len(subjects)]
    chosen = replace(pick, channels=_strongest(values)[: pick.top]) if first.ranked else pick
    rows = [_row(first, array, graph, subject, chosen) for array, subject in zip(values, subjects, strict=True)]
    common, signed = statistics(values), any(row.signed for row in rows)
    same = [replace(row, statistics=common, signed=signed, ranked=first.ranked) for row in rows]
    return replace(sheet, rows=tuple(same), title=first.title)


def _strongest(values: Array) -> tuple[int, ...]:
    """The channels of (N, C, ...), by falling mean |x| over all inputs."""
    return ranking(np.moveaxis(values, 1, 0))


def _row(first: Row, array: Array, graph: Graph, subject: Subject, pick: Pick) -> Row:
    assert first.index is not None  # it is a layer's
    row = value_row(first.index, graph.by_name.get(first.node), first.what, array, pick)
    known = (f"{name} {value}" for name, value in (("true", subject.true), ("predicted", subject.predicted)) if value)
    picture = () if subject.picture is None else (Tile("input", subject.picture),)
    return replace(row, title=(subject.input, *known), tiles=(*picture, *row.tiles))
