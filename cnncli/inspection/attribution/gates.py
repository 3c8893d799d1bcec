"""Which rectifier blocks what: the gradient that arrives at each, and what becomes of it by three rules.

With x what the rectifier was given and g the gradient that arrives, backpropagation stops g where x <= 0; guided
backpropagation also stops it where g < 0 (Springenberg et al. 2015); the deconvnet stops it there alone (Zeiler and
Fergus 2014). Everywhere g is the gradient proper, so that the rules are seen at work on the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.graph import Graph, Node
from cnncli.inspection.attribution.layers import values_and_gradients
from cnncli.inspection.attribution.method import Target
from cnncli.inspection.attribution.rules import rectifiers
from cnncli.inspection.names import only_nodes
from cnncli.inspection.statistics import as_maps, statistics
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, channel_name, layer_stem, shape_text
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.inspection.views.subject import Subject
from cnncli.wording import one_of

Array = NDArray[Any]

NOTE = "all rows are of the gradient as plain backpropagation brings it to the rectifier, on one scale"


@dataclass(frozen=True)
class GateShares:
    """What one rectifier does to the gradient that arrives; shares are of the sum of |g|, nan where that is 0."""

    node: str
    gates: int
    open: int
    """How many were given a positive number."""
    blocked_forward: float
    """Arrives where x <= 0: stopped by backpropagation."""
    blocked_backward: float
    """Is negative where x > 0: stopped by guided backpropagation as well."""
    deconvnet: float
    """Is positive, and so let through by the deconvnet."""

    def __str__(self) -> str:
        if self.blocked_forward != self.blocked_forward:
            return f"{self.open:,} of {self.gates:,} gates are open; no gradient arrives"
        guided = 1 - self.blocked_forward - self.blocked_backward
        return (
            f"{self.open:,} of {self.gates:,} gates are open ({self.open / self.gates:.0%}); of the gradient that "
            f"arrives {self.blocked_forward:.0%} is blocked as x <= 0, another {self.blocked_backward:.0%} as it is "
            f"negative: guided lets {max(guided, 0):.0%} through, the deconvnet {self.deconvnet:.0%}"
        )


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
    values, gradients = values_and_gradients(executor, x[one], target[one], [node.name for node in nodes])
    shares, sheets = [], []
    for node in nodes:
        found = _Gates(node, values[node.name][0], gradients[node.name][0])
        channels = pick.of(as_maps(found.arriving)) if found.has_channels else (0,)
        if not channels:
            continue
        shares.append(found.shares())
        stem = layer_stem(list(graph.consumers).index(node.name), node.name, "gates", channels, found.total)
        title = (node.name, node.layer.type, "gates", shape_text(node.shape))
        sheets.append(Sheet(stem, tuple(found.rows(channels, pick)), title, notes=(str(shares[-1]),)))
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


@dataclass(frozen=True, eq=False)
class _Gates:
    """One rectifier's value and the gradient that arrives there, of one sample."""

    node: Node
    value: Array
    arriving: Array

    @property
    def has_channels(self) -> bool:
        return self.arriving.ndim == 3 and self.arriving.shape[1:] != (1, 1)

    @property
    def total(self) -> int:
        return len(self.arriving) if self.has_channels else 1

    @property
    def is_open(self) -> Array:
        """Positive behind the rectifier is positive before it."""
        return self.value > 0

    def shares(self) -> GateShares:
        size = np.abs(self.arriving).astype(np.float64)
        whole = float(size.sum())

        def share(where: Array) -> float:
            return float(size[where].sum()) / whole if whole else float("nan")

        negative = self.arriving < 0
        return GateShares(
            self.node.name,
            self.value.size,
            int(self.is_open.sum()),
            share(~self.is_open),
            share(self.is_open & negative),
            share(~negative),
        )

    def rows(self, channels: Sequence[int], pick: Pick) -> Iterator[Row]:
        """All on the scale of what arrives."""
        is_open, negative = self.is_open, self.arriving < 0
        of_all = statistics(self.arriving)
        for title, kept in (
            ("the gradient that arrives", None),
            ("blocked as x <= 0", ~is_open),
            ("guided blocks as well: negative", is_open & negative),
            ("the deconvnet lets through: positive", ~negative),
        ):
            array = self.arriving if kept is None else np.where(kept, self.arriving, 0)
            maps = as_maps(array)
            tiles = [
                Tile(channel_name(channel, self.total), maps[channel], channel)
                if self.has_channels
                else Tile("", maps[0])
                for channel in channels
            ]
            yield Row(
                title=(title,),
                what="gradient",
                tiles=tuple(tiles),
                node=self.node.name,
                type=self.node.layer.type,
                shape=array.shape,
                signed=True,
                statistics=of_all,
                total=self.total,
                ranked=self.has_channels and not pick.channels and pick.top is not None,
                array=array,
            )
