"""Where the errors sit, as pictures: what backward says, what is true, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import Graph
from cnncli.inspection.gradcheck.functions import is_input
from cnncli.inspection.gradcheck.report import ErrorMap, GradcheckReport, TensorCheck
from cnncli.inspection.gradcheck.verdicts import Verdict
from cnncli.inspection.statistics import statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, layer_stem
from cnncli.inspection.views.panels import filter_row, value_row
from cnncli.inspection.views.pick import Pick
from cnncli.wording import shape_text

Array = NDArray[Any]

ALL = Pick(top=None)
FEW_TILES, FEW_SHEETS = 4, 2
"""What a terminal has room for."""


def board(report: GradcheckReport, graph: Graph, subject: Subject, top: int) -> Board:
    """A sheet for every map of the report, with the `top` filters or channels where the error is largest."""
    checks = {(check.node, check.tensor, check.level): check for check in report.tensors}
    sheets = tuple(_sheet(found, checks[found.node, found.tensor, found.level], graph, top) for found in report.maps)
    return Board("gradcheck", subject, sheets)


def brief(report: GradcheckReport, graph: Graph, subject: Subject) -> Board:
    """The first few sheets with few tiles each, without the hints, to stand in a text that has them; and how many maps
    there are in all, where that is more."""
    whole = board(report, graph, subject, FEW_TILES)
    sheets = tuple(replace(sheet, notes=()) for sheet in whole.sheets[:FEW_SHEETS])
    total = len(whole.sheets)
    notes = (f"with --out DIR the maps of all {total} wrong gradients are drawn",) if total > FEW_SHEETS else ()
    return replace(whole, sheets=sheets, notes=notes)


def _sheet(found: ErrorMap, check: TensorCheck, graph: Graph, top: int) -> Sheet:
    places = list(graph.consumers)
    index = places.index(found.node) if found.node in places else len(places)
    what = f"{found.tensor}-network" if found.level == "network" else found.tensor
    where = "the whole network" if found.level == "network" else "the layer alone"
    return Sheet(
        layer_stem(index, found.node, what),
        _by_element(found, check, graph, index, top) if found.true.size else _by_slice(found, check, index),
        title=(found.name, where, check.verdict, shape_text(found.analytic.shape)),
        notes=() if check.hint is None else (check.hint,),
    )


def _by_element(found: ErrorMap, check: TensorCheck, graph: Graph, index: int, top: int) -> tuple[Row, ...]:
    """Three rows of the same channels."""
    arrays = {"analytic": found.analytic, "true": found.true, "difference": found.analytic - found.true}
    whose: tuple[str, ...] = ()
    errors = np.where(found.differs, np.abs(arrays["difference"]), 0)
    if is_input(found.tensor):
        sample = int(errors.reshape(len(errors), -1).max(axis=1).argmax())
        errors = errors[sample]
        arrays = {what: array[sample] for what, array in arrays.items()}
        whose = (f"sample {sample}",)
    rows = {what: _row(found, graph, index, what, array) for what, array in arrays.items()}
    chosen, inner = (
        _worst(_row(found, graph, index, "error", errors), top) if found.differing else _first(rows["analytic"], top)
    )
    both = statistics(np.stack([arrays["analytic"], arrays["true"]]))
    texts = {
        "analytic": "what backward says",
        "true": "what forward passes say",
        "difference": _size(found, check, "elements"),
    }
    return tuple(
        replace(
            row,
            title=(what, texts[what], *whose),
            tiles=tuple(replace(row.tiles[place], values=_part(row.tiles[place].values, inner)) for place in chosen),
            statistics=row.statistics if what == "difference" else both,
            signed=True,
            ranked=found.differing > 0 and len(chosen) > 1,
        )
        for what, row in rows.items()
    )


def _size(found: ErrorMap, check: TensorCheck, what: str) -> str:
    """How many are off, and by how much."""
    size = f"{found.largest:.2g} of the largest"
    if not found.differing:
        return f"nothing but rounding: {size}"
    text = f"{found.differing:,} of {found.count:,} {what} {{}}, by up to {size}"
    return text.format("wrong" if check.verdict is Verdict.FAIL else "differ, on corners")


def _row(found: ErrorMap, graph: Graph, index: int, what: str, array: Array) -> Row:
    """With all its channels."""
    node = graph.by_name.get(found.node)
    if node is not None and not is_input(found.tensor) and array.ndim > 1:
        return filter_row(index, graph, node, what, array, ALL)
    return value_row(index, node, what, array, ALL)


def _worst(row: Row, top: int) -> tuple[list[int], list[int]]:
    """Which of the row's tiles have the largest errors, and where they are stacks of maps, which of these. Tiles that
    are right, with errors that are all 0, are left out."""
    errors = np.stack([tile.values for tile in row.tiles])  # (tiles, H, W) or (tiles, maps, H, W)
    largest = errors.reshape(len(errors), -1).max(axis=1)
    wrong = np.flatnonzero(largest)
    chosen = wrong[np.argsort(-largest[wrong], kind="stable")][:top]
    if errors.ndim == 3:
        return chosen.tolist(), []
    inner = np.argsort(-errors.max(axis=(0, 2, 3)), kind="stable")[:top]
    return chosen.tolist(), np.sort(inner).tolist()


def _first(row: Row, top: int) -> tuple[list[int], list[int]]:
    """The first tiles, and where they are stacks of maps, the strongest of these."""
    sizes = np.stack([np.abs(tile.values) for tile in row.tiles])
    chosen = list(range(len(sizes)))[:top]
    if sizes.ndim == 3:
        return chosen, []
    inner = np.argsort(-sizes.mean(axis=(0, 2, 3)), kind="stable")[:top]
    return chosen, np.sort(inner).tolist()


def _part(values: Array, inner: Sequence[int]) -> Array:
    return values[inner] if inner else values


def _by_slice(found: ErrorMap, check: TensorCheck, index: int) -> tuple[Row, ...]:
    """One number each, where the tensor is too large for more."""
    what = "channels" if is_input(found.tensor) else "filters"
    row = value_row(index, None, "error", found.by_slice, ALL)
    title = ("relative error", _size(found, check, what))
    return (replace(row, title=title, node=found.node, signed=False),)
