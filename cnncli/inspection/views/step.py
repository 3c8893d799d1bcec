"""Before and after a step of the optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.graph import flat_views
from cnncli.inspection.descent import Change, Descent
from cnncli.inspection.names import only_nodes
from cnncli.inspection.statistics import merged, statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, layer_stem
from cnncli.inspection.views.mirror import is_ranked, mirrored_pick
from cnncli.inspection.views.panels import filter_row, value_row
from cnncli.inspection.views.pick import Pick
from cnncli.inspection.views.several import first_only
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.graph import Model, Node
    from cnncli.layers.base import Params

Array = NDArray[Any]
Shape = tuple[int, ...]

SIDE_BY_SIDE = Pick(top=8)
OVERVIEW_LAYERS, OVERVIEW_CHANNELS = 6, 2
INSIDE = 9
"""Of the maps inside a filter the strongest are drawn."""


@dataclass(frozen=True)
class Move:
    """What happens to one parameter tensor in all steps."""

    node: str
    key: str
    shape: Shape
    weight_norm: float
    gradient_norm: float
    change_norm: float
    ratio: float | None
    """|change| / |weight|; None where the weight is all zero. In a training about 1e-3 is healthy."""
    predicted: float
    """Its part of the predicted change of the loss: <gradient, change>, the gradient before the first step."""


@dataclass(frozen=True, eq=False)
class StepView:
    """The loss before and after, as it was predicted and as it is; and every parameter's move."""

    subject: Subject
    optimizer: str
    """In words: "adam with lr 0.001"."""
    plain: bool
    """It is plain gradient descent: the prediction is -lr |gradient|^2."""
    losses: tuple[float, ...]
    """Before the first step, and after each."""
    steps: tuple[Change, ...]
    """Each, by the gradient before it."""
    shares: tuple[Change, ...]
    """All steps together, and shares of the way that they went, by the gradient before the first."""
    gradient_norm: float
    """Before the first step, of all parameters."""
    moves: tuple[Move, ...]


def step_view(descent: Descent, model: Model, subject: Subject, optimizer: str, *, plain: bool) -> StepView:
    """Of what the steps did; `model` is as before them, and `plain` says whether it is plain gradient descent."""
    parts = (flat_views(flat, model.parameters) for flat in (descent.start, descent.gradient, descent.change))
    weights, gradients, changes = parts
    moves = [
        _move(node, key, weight, gradients[node][key], changes[node][key])
        for node, params in weights.items()
        for key, weight in params.items()
    ]
    norm = statistics(descent.gradient).norm
    return StepView(subject, optimizer, plain, descent.objectives, descent.steps, descent.shares, norm, tuple(moves))


def _move(node: str, key: str, weight: Array, gradient: Array, change: Array) -> Move:
    of_weight, of_gradient, of_change = (statistics(array).norm for array in (weight, gradient, change))
    ratio = of_change / of_weight if of_weight else None
    return Move(node, key, weight.shape, of_weight, of_gradient, of_change, ratio, float(np.vdot(gradient, change)))


def step_board(descent: Descent, model: Model, subject: Subject, pick: Pick = SIDE_BY_SIDE) -> Board:
    """A sheet of what changes in the layers that have weights; then a sheet for every layer: of the same channels the
    activation before the steps, after them, and the difference; the same of the gradient; the weights, their change.

    Raises UsageError if no layer fits `pick`.
    """
    graph = model.graph
    nodes = only_nodes(graph, pick.nodes)
    changes = flat_views(descent.change, model.parameters)
    sheets = []
    for index, name in enumerate(graph.consumers):
        node = graph.by_name.get(name)
        wanted = name in nodes and name in descent.before.gradients
        if not wanted or (node is not None and node.layer.aliases_input and not pick.nodes):
            continue
        chosen = mirrored_pick(descent.before.activations[name][0], descent.before.gradients[name][0], pick)
        rows = [*_values(descent, index, node, name, chosen), *_weights(model, changes, index, node, chosen)]
        ranked = tuple(replace(row, ranked=is_ranked(row, pick)) for row in rows if row.tiles)
        kind = node.layer.type if node else name
        sheets.append(Sheet(layer_stem(index, name, "step"), ranked, tuple(dict.fromkeys((name, kind)))))
    sheets = [sheet for sheet in sheets if sheet.rows]
    if not sheets:
        raise UsageError("there is nothing to draw: no layer has these channels, or the loss depends on none of them")
    overview = _overview(sheets) if len(sheets) > 1 else []
    return Board("step", subject, (*overview, *sheets), first_only(subject))


def _overview(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Of some layers, evenly chosen, the strongest channels; nothing where no layer has weights."""
    weighty = [sheet for sheet in sheets if any(row.title[1] == "change" for row in sheet.rows)]
    count = min(len(weighty), OVERVIEW_LAYERS)
    some = [weighty[place * (len(weighty) - 1) // max(count - 1, 1)] for place in range(count)]
    rows = [
        replace(row, title=(sheet.title[0], *row.title), tiles=row.tiles[:OVERVIEW_CHANNELS])
        for sheet in some
        for row in sheet.rows
        if row.what in ("activation", "activation-change") or row.title[1] == "change"
    ]
    notes = (f"{count} of {len(weighty)} layers with weights",) if count < len(weighty) else ()
    title = ("what changes",)
    return [Sheet("00_overview__step", tuple(rows), title, notes=notes, across=True)] if rows else []


def _values(descent: Descent, index: int, node: Node | None, name: str, pick: Pick) -> Iterator[Row]:
    pairs = (
        ("activation", "activation a", descent.before.activations, descent.after.activations),
        ("gradient", "dL/da", descent.before.gradients, descent.after.gradients),
    )
    for what, title, before, after in pairs:
        first, second = before[name][0], after[name][0]
        if np.array_equal(first, second, equal_nan=True):
            yield _titled(value_row(index, node, what, first, pick), title, "before and after the step")
            continue
        rows = [value_row(index, node, what, array, pick) for array in (first, second)]
        both = merged(statistics(first), statistics(second))
        for row, when in zip(rows, ("before", "after"), strict=True):
            common = replace(row, statistics=both, signed=any(each.signed for each in rows))
            yield _titled(common, title, when)
        difference = value_row(index, node, f"{what}-change", second - first, pick)
        yield _titled(replace(difference, signed=True), title, "after - before")


def _weights(model: Model, changes: Mapping[str, Params], index: int, node: Node | None, pick: Pick) -> Iterator[Row]:
    if node is None:
        return
    few = replace(pick, top=INSIDE)
    for key, weight in model.parameters.get(node.name, {}).items():
        if weight.ndim > 1:
            for what, title, array in ((key, "before", weight), (f"{key}-change", "change", changes[node.name][key])):
                yield _titled(filter_row(index, model.graph, node, what, array, few), key, title)


def _titled(row: Row, what: str, when: str) -> Row:
    return replace(row, title=(what, when, shape_text(row.shape)))
