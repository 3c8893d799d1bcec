"""Which rectifier blocks what, as pictures: a sheet for each, all of its rows on one scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnncli.engine import record_backward
from cnncli.errors import UsageError
from cnncli.inspection.attribution.gates import Gates, GateShares
from cnncli.inspection.attribution.rules import rectifiers
from cnncli.inspection.names import only_nodes
from cnncli.inspection.statistics import statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, layer_stem
from cnncli.inspection.views.panels import value_row
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.wording import one_of, shape_text

if TYPE_CHECKING:
    from cnncli.engine import Executor
    from cnncli.graph import Graph, Node
    from cnncli.inspection.attribution.method import Target

Array = NDArray[Any]

NOTE = "all rows are of the gradient as plain backpropagation brings it to the rectifier, on one scale"


@dataclass(frozen=True, eq=False)
class GatesBoard(Board):
    """A sheet for each rectifier, and the shares of all of them in numbers."""

    gates: tuple[GateShares, ...] = ()


def gates_board(executor: Executor, x: Array, target: Target, subject: Subject, pick: Pick = STRONGEST) -> GatesBoard:
    """For the sample of x (N, *input_shape) that the subject says; channels are ranked by the gradient that arrives.

    Raises UsageError if there is no rectifier, and if nothing fits `pick`.
    """
    graph = executor.model.graph
    nodes = _chosen(graph, target.at, pick)
    one = slice(subject.sample, subject.sample + 1)
    recording = record_backward(executor, x[one], target[one].objective, names=[node.name for node in nodes])
    shares, sheets = [], []
    for node in nodes:
        gates = Gates(recording.activations[node.name][0], recording.gradients[node.name][0])
        rows = tuple(_rows(graph, node, gates, pick))
        if not rows:
            continue
        shares.append(gates.shares(node.name))
        stem = layer_stem(graph.place(node.name), node.name, "gates", rows[0].channels, rows[0].total)
        title = (node.name, node.layer.type, "gates", shape_text(node.shape))
        sheets.append(Sheet(stem, rows, title, notes=(str(shares[-1]),)))
    if not sheets:
        most = max(nodes, key=lambda node: node.shape[0])
        raise UsageError(f"--channels: there is no channel {pick.channels[0]}; {most.name} has {most.shape[0]}")
    return GatesBoard("guided", subject, tuple(sheets), (NOTE,), tuple(shares))


def _chosen(graph: Graph, at: str, pick: Pick) -> list[Node]:
    nodes = rectifiers(graph, at)
    if not nodes:
        raise UsageError("there is no rectifier (relu) on the way to the target, and so no gate")
    names = only_nodes(graph, pick.nodes)
    kept = [node for node in nodes if node.name in names]
    if not kept:
        known = one_of([node.name for node in nodes])
        raise UsageError(f"--layer {pick.nodes[0]}: it is no rectifier on the way to the target; take {known}")
    return kept


def _rows(graph: Graph, node: Node, gates: Gates, pick: Pick) -> Iterator[Row]:
    """Of the same channels, on the scale of what arrives; none where it has no channel of `pick`."""
    place, of_all = graph.place(node.name), statistics(gates.arriving)
    first = value_row(place, node, "gradient", gates.arriving, pick)
    if not first.tiles:
        return
    yield replace(first, title=("the gradient that arrives",))
    same = replace(pick, channels=first.channels)
    for title, array in (
        ("blocked as x <= 0", gates.blocked_forward),
        ("guided blocks as well: negative", gates.blocked_backward),
        ("the deconvnet lets through: positive", gates.deconvnet),
    ):
        row = value_row(place, node, "gradient", array, same)
        yield replace(row, title=(title,), statistics=of_all, ranked=first.ranked)
