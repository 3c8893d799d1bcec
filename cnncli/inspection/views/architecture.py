"""The network as a drawing: a box for each layer, or for a layer and what merely follows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnncli.graph import INPUT

if TYPE_CHECKING:
    from cnncli.graph import Graph, Model, Node

Array = NDArray[Any]
Shape = tuple[int, ...]
Pair = tuple[int, int]

SINGLE = 40
"""Up to so many layers have a box each."""


@dataclass(frozen=True)
class Box:
    """A layer, or several that follow one another without changing the shape."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    inputs: tuple[str, ...]
    """The last names of other boxes, or "input"."""
    shape: Shape
    """Of the output."""
    parameters: int
    kind: str
    """Of the first layer: "input", "parameters", "rectifier", "pool", "join", "other"."""
    window: tuple[Pair, Pair] | None
    """Kernel and stride (height, width) of the first layer's windows; None where an output position sees all of the
    input, or no more than the same position."""
    dilation: Pair = (1, 1)
    """Of the kernel: its numbers stand so far apart."""
    groups: int = 1
    """Of channels that do not mix."""

    @property
    def name(self) -> str:
        """By which other boxes refer to it."""
        return self.names[-1]


@dataclass(frozen=True)
class ArchitectureView:
    """The boxes in the order in which they are computed, the input first."""

    name: str
    """Of the network."""
    boxes: tuple[Box, ...]
    layers: int
    parameters: int


def architecture_view(model: Model, name: str) -> ArchitectureView:
    """With a box for each layer; of a large network, for each layer and those behind it that have no weights of
    several axes and do not change its shape."""
    graph = model.graph
    chains = [[node] for node in graph.nodes] if len(graph.nodes) <= SINGLE else _chains(model)
    first = Box((INPUT,), (INPUT,), (), graph.input_shape, 0, "input", None)
    boxes = (first, *(_box(model, chain) for chain in chains))
    return ArchitectureView(name, boxes, len(graph.nodes), sum(box.parameters for box in boxes))


def _chains(model: Model) -> list[list[Node]]:
    chains: dict[str, list[Node]] = {}  # by the name of the last node
    for node in model.graph.nodes:
        before = chains.pop(node.inputs[0]) if _follows(model, node) and node.inputs[0] in chains else []
        chains[node.name] = [*before, node]
    order = {node.name: place for place, node in enumerate(model.graph.nodes)}
    return sorted(chains.values(), key=lambda chain: order[chain[0].name])


def _follows(model: Model, node: Node) -> bool:
    """Whether a node is no more than a step after its input, which nobody else reads."""
    weighty = any(array.ndim > 1 for array in model.parameters.get(node.name, {}).values())
    alone = len(node.inputs) == 1 and len(model.graph.consumers[node.inputs[0]]) == 1
    return alone and not weighty and node.shape == node.input_shapes[0]


def _box(model: Model, chain: Sequence[Node]) -> Box:
    node = chain[0]
    arrays = [array for each in chain for array in model.parameters.get(each.name, {}).values()]
    window, options = node.layer.window(), node.layer.model_dump()
    if window is not None:
        window = options.get("kernel_size", window[0]), window[1]
    return Box(
        names=tuple(each.name for each in chain),
        types=tuple(each.layer.type for each in chain),
        inputs=node.inputs,
        shape=chain[-1].shape,
        parameters=sum(array.size for array in arrays),
        kind=_kind(model.graph, node, bool(model.parameters.get(node.name))),
        window=None if window is None or not _has_window(window, arrays) else window,
        dilation=options.get("dilation", (1, 1)),
        groups=options.get("groups", 1),
    )


def _has_window(window: tuple[Pair, Pair], arrays: Sequence[Array]) -> bool:
    """Whether there is more to say than that each position is on its own: filters may be of 1x1."""
    return window != ((1, 1), (1, 1)) or any(array.ndim == 4 for array in arrays)


def _kind(graph: Graph, node: Node, has_parameters: bool) -> str:
    if has_parameters:
        return "parameters"
    if len(node.inputs) > 1:
        return "join"
    if node.layer.rectifies:
        return "rectifier"
    shrinks = math.prod(node.shape) < math.prod(node.input_shapes[0])
    return "pool" if shrinks or node.layer.picks_maximum else "other"
