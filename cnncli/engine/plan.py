"""How a graph is run: which steps, what may be overwritten, when a value is dropped, how a batch is cut.

A plan depends on the network, the batch and what is asked for; never on the machine or the number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

from cnncli.graph import INPUT, Graph, Node

TARGET_BYTES = 3 * 512 * 1024
"""What an average layer's output should take in one micro-batch, in float32: small enough for the cache, large
enough that NumPy's cost of a call, and the threads' of handing over the interpreter, count for little."""

UNIT = 8
"""Micro-batches are multiples of this many samples, as far as the batch allows: whole vector registers."""

LARGEST = 64


@dataclass(frozen=True)
class Step:
    """One node's turn."""

    node: Node
    owned: tuple[bool, ...]  # which inputs the layer may write over, in the forward pass
    drop: tuple[str, ...]  # values that nobody reads after this step
    needs: tuple[bool, ...]  # which inputs need a gradient
    coupled: bool


@dataclass(frozen=True)
class Plan:
    """The steps of a pass forward, and of the pass back where there is one."""

    forward: tuple[Step, ...]
    backward: tuple[Step, ...]


def make_plan(
    graph: Graph, at: str, trainable: Container[str], *, training: bool, gradient: bool, everything: bool
) -> Plan:
    """A plan to compute the value `at`; `everything`: all other nodes and all gradients too.

    `gradient`: a backward pass follows; it goes as far as the `trainable` nodes need it, with `everything` to
    the input.
    """
    names = {node.name for node in graph.nodes} if everything else ancestors(graph, at)
    nodes = [node for node in graph.nodes if node.name in names]
    readers = {INPUT: 0, **{node.name: 0 for node in nodes}}
    for node in nodes:
        for name in node.inputs:
            readers[name] += 1
    last = {name: node.name for node in nodes for name in node.inputs}
    wanted = {INPUT} if everything else set()
    writable: dict[str, bool] = {INPUT: False}
    steps = []
    for node in nodes:
        needs = tuple(name in wanted for name in node.inputs)
        if any(needs) or node.name in trainable:
            wanted.add(node.name)
        owned = tuple(writable[name] and readers[name] == 1 and name != at for name in node.inputs)
        writable[node.name] = all(owned) if node.layer.aliases_input else not (gradient and node.layer.keeps_output)
        drop = tuple({name for name in node.inputs if last[name] == node.name and name != at})
        steps.append(Step(node, owned, drop, needs, training and node.layer.couples_batch))
    sources = ancestors(graph, at)
    back = (step for step in reversed(steps) if step.node.name in wanted and step.node.name in sources)
    return Plan(tuple(steps), tuple(back) if gradient else ())


def ancestors(graph: Graph, at: str) -> set[str]:
    """The nodes that `at` depends on, itself among them."""
    found: set[str] = set()
    pending = [at]
    while pending:
        name = pending.pop()
        if name != INPUT and name not in found:
            found.add(name)
            pending.extend(graph.by_name[name].inputs)
    return found


def cut(graph: Graph, batch: int) -> list[slice]:
    """The batch in micro-batches, as even as whole units allow."""
    return even_slices(batch, micro_batch(graph))


def micro_batch(graph: Graph) -> int:
    """The number of samples for which an average layer's output takes about TARGET_BYTES."""
    average = 4 * sum(math.prod(node.shape) for node in graph.nodes) / len(graph.nodes)
    return max(UNIT, min(LARGEST, int(TARGET_BYTES / average) // UNIT * UNIT))


def even_slices(batch: int, largest: int) -> list[slice]:
    """Slices of 0..batch, each a multiple of UNIT (but the last), of at most `largest`."""
    units = -(-batch // UNIT)
    count = -(-units // max(1, largest // UNIT))
    edges = [min(batch, UNIT * (units * index // count)) for index in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]
