"""How a graph is run: which steps, what may be overwritten, when a value is dropped, how a batch is cut.

A plan depends on the network, the batch and what is asked for; never on the machine or the number of workers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cnncli.graph import INPUT, Graph, Node

UNIT = 8
"""Micro-batches are multiples of this many samples, as far as the batch allows: whole vector registers."""

SMALLEST, LARGEST = 16, 64
"""Below, NumPy's inner loops are too short; above, a layer's numbers no longer fit the cache."""

MICRO_BATCH_BYTES = 32 * 1024 * 1024
"""What an average layer's output may take in one micro-batch, in float32: for large images memory decides."""

NODE_SECONDS = 36e-6
MACS_PER_SECOND = 100e9
BYTES_PER_SECOND = 4e9
WORTH = 12
"""What a layer costs in calls, forward and back, on a current core, and how fast its arithmetic goes; a micro-batch
should compute WORTH times as long as its calls cost. Only the ratios matter, and a wrong one costs some speed, never a
digit."""


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
    names = {node.name for node in graph.nodes} if everything else graph.ancestors(at)
    nodes = [node for node in graph.nodes if node.name in names]
    if not everything:
        nodes = pool_first(nodes, at)
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
    sources = graph.ancestors(at)
    back = (step for step in reversed(steps) if step.node.name in wanted and step.node.name in sources)
    return Plan(tuple(steps), tuple(back) if gradient else ())


def pool_first(nodes: Sequence[Node], at: str) -> list[Node]:
    """The same network, but max pooling goes before a ReLU that only it reads, which then has less to do.

    max(relu(x)) = relu(max(x)), and the gradient takes the same way: where the window's maximum is positive it is
    the same element, and otherwise ReLU lets nothing through. The two nodes exchange their layers.
    """
    readers = Counter(name for node in nodes for name in node.inputs)
    found = list(nodes)
    places = {node.name: place for place, node in enumerate(nodes)}
    for place, pool in enumerate(nodes):
        before = places.get(pool.inputs[0])
        if not pool.layer.picks_maximum or before is None:
            continue
        relu = nodes[before]
        if relu.layer.keeps_maximum and readers[relu.name] == 1 and relu.name != at:
            found[before] = replace(relu, layer=pool.layer, shape=pool.shape)
            found[place] = replace(pool, layer=relu.layer, input_shapes=(pool.shape,))
    return found


def cut(graph: Graph, batch: int) -> list[slice]:
    """The batch in micro-batches, as even as whole units allow, and in two at least where they are not too small.

    Their number is a power of two, so that two, four or eight processes get equal shares.
    """
    half = -(-batch // (2 * UNIT)) * UNIT
    return even_slices(batch, min(micro_batch(graph), max(half, SMALLEST)))


def micro_batch(graph: Graph) -> int:
    """As few samples as make the calls worth their while, so that a layer's numbers stay in the cache."""
    size = 4 * sum(math.prod(node.shape) for node in graph.nodes)
    macs = sum(node.layer.macs(node.input_shapes, node.shape) for node in graph.nodes)
    seconds = 3 * macs / MACS_PER_SECOND + size / BYTES_PER_SECOND
    worth = 1 << max(0, round(math.log2(WORTH * NODE_SECONDS * len(graph.nodes) / seconds)))
    room = MICRO_BATCH_BYTES * len(graph.nodes) // size
    return max(1, min(max(worth, SMALLEST), LARGEST, room if room < UNIT else room // UNIT * UNIT))


def even_slices(batch: int, largest: int) -> list[slice]:
    """A power of two of slices of 0..batch, or fewer where it is small, of at most `largest`, each but the last a
    multiple of UNIT, if `largest` is one."""
    unit = min(UNIT, largest)
    units = -(-batch // unit)
    count = 1 << (max(1, -(-units // (largest // unit))) - 1).bit_length()
    edges = [min(batch, unit * (units * index // count)) for index in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges) if start < stop]
