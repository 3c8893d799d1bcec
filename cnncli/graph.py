"""The network as plain data: named nodes in order with inferred shapes, and the model that adds numbers.

Nothing here computes: shapes come from integers (`Layer.infer`), parameters from `Layer.init`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from cnncli.errors import CheckpointError, ShapeError
from cnncli.layers.base import Array, Layer, Params, Shape

INPUT = "input"
"""The name under which nodes refer to the network's input."""


@dataclass(frozen=True)
class Node:
    """One layer in its place. `inputs` are names of earlier nodes or INPUT; shapes are per sample."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape


@dataclass(frozen=True)
class Graph:
    """A directed acyclic graph in topological order; the last node is the output."""

    input_shape: Shape
    nodes: tuple[Node, ...]

    @cached_property
    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def output(self) -> Node:
        return self.nodes[-1]

    @cached_property
    def consumers(self) -> dict[str, tuple[str, ...]]:
        """For every value (nodes and INPUT) the nodes that read it, once for each reading."""
        readers: dict[str, list[str]] = {INPUT: [], **{node.name: [] for node in self.nodes}}
        for node in self.nodes:
            for name in node.inputs:
                readers[name].append(node.name)
        return {name: tuple(names) for name, names in readers.items()}

    def shape_of(self, name: str) -> Shape:
        return self.input_shape if name == INPUT else self.by_name[name].shape

    def place(self, name: str) -> int:
        """Where a value stands in the network: the input has 0, the first node 1."""
        return self._places[name]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.consumers)}

    def ancestors(self, at: str) -> set[str]:
        """The nodes that the value `at` depends on, itself among them."""
        found: set[str] = set()
        pending = [at]
        while pending:
            name = pending.pop()
            if name != INPUT and name not in found:
                found.add(name)
                pending.extend(self.by_name[name].inputs)
        return found

    def up_to(self, at: str) -> Graph:
        """Without what the value `at` does not depend on."""
        names = self.ancestors(at)
        return Graph(self.input_shape, tuple(node for node in self.nodes if node.name in names))

    def behind(self, name: str, at: str) -> Graph | None:
        """What makes `at` of the value `name`, as a network whose input that is; None where `at` depends on more."""
        before = {INPUT, *self.ancestors(name)}
        names = self.ancestors(at) - before
        nodes = [node for node in self.nodes if node.name in names]
        if any(source != name and source in before for node in nodes for source in node.inputs):
            return None
        renamed = (
            replace(node, inputs=tuple(INPUT if source == name else source for source in node.inputs)) for node in nodes
        )
        return Graph(self.shape_of(name), tuple(renamed))

    def unflattened(self, name: str) -> str:
        """The value that a flat one was before flatten, and what stands behind it, repeated it; else itself."""
        while name != INPUT and len(self.shape_of(name)) == 1 and self.by_name[name].layer.aliases_input:
            name = self.by_name[name].inputs[0]
        return name

    def logits(self, link: str | None) -> str:
        """The value that a loss with this link function reads: the output, or what the output's own
        softmax or sigmoid was applied to, because the pair of the two is computed stably as one."""
        last = self.output
        return last.inputs[0] if link is not None and last.layer.link == link else last.name


def build(input_shape: Shape, layers: Sequence[tuple[str, Layer, tuple[str, ...]]]) -> Graph:
    """Infers every shape. `layers` are (name, layer, inputs) in an order in which inputs come first.

    Raises ShapeError with `node` set, for the first layer that does not fit.
    """
    shapes: dict[str, Shape] = {INPUT: input_shape}
    nodes = []
    for name, layer, inputs in layers:
        input_shapes = tuple(shapes[source] for source in inputs)
        try:
            shape = layer.infer(input_shapes)
        except ShapeError as error:
            raise ShapeError(error.message, option=error.option, node=name) from None
        shapes[name] = shape
        nodes.append(Node(name, layer, inputs, input_shapes, shape))
    return Graph(input_shape, tuple(nodes))


@dataclass
class Model:
    """A graph with numbers: parameters as views into one flat array, and buffers (running statistics).

    `parameters[node][key]` and `buffers[node][key]` have PyTorch's keys and layouts; nodes without any
    are absent.
    """

    graph: Graph
    flat: Array
    parameters: dict[str, Params]
    buffers: dict[str, Params] = field(default_factory=dict)

    @classmethod
    def create(cls, graph: Graph, seed: int = 0, dtype: DTypeLike = np.float32) -> Model:
        """Freshly initialised. The numbers of a node depend on the seed and its name alone, and are drawn in
        float64, so that they are the same, rounded, in every dtype."""
        parameters, buffers = {}, {}
        for node in graph.nodes:
            rng = np.random.default_rng([seed, zlib.crc32(node.name.encode())])
            parameters[node.name] = node.layer.init(node.input_shapes, rng)
            buffers[node.name] = node.layer.init_buffers(node.input_shapes)
        return cls._assemble(graph, parameters, buffers, np.dtype(dtype))

    @classmethod
    def _assemble(
        cls, graph: Graph, parameters: Mapping[str, Params], buffers: Mapping[str, Params], dtype: np.dtype
    ) -> Model:
        flat = np.empty(sum(array.size for params in parameters.values() for array in params.values()), dtype)
        views = flat_views(flat, parameters)
        for name, params in views.items():
            for key, view in params.items():
                view[...] = parameters[name][key]
        copies = {
            name: {
                key: array.astype(dtype if array.dtype.kind in "fc" else array.dtype) for key, array in params.items()
            }
            for name, params in buffers.items()
            if params
        }
        return cls(graph, flat, views, copies)

    def on(self, flat: Array) -> Model:
        """The same, with its parameters in `flat`, whose numbers are left as they are."""
        return Model(self.graph, flat, flat_views(flat, self.parameters), self.buffers)

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[Any, ...]]:
        """Copies and pickles have parameters that are views of their own flat array."""
        return Model._assemble, (self.graph, self.parameters, self.buffers, self.flat.dtype)

    def tensors(self, name: str) -> Params:
        """The parameters and buffers of one node together: what its layer's functions are given."""
        return {**self.parameters.get(name, {}), **self.buffers.get(name, {})}

    def state_dict(self) -> dict[str, Array]:
        """Everything under PyTorch's flat keys, `<node>.<key>`, in the order of the graph."""
        return {
            f"{node.name}.{key}": array for node in self.graph.nodes for key, array in self.tensors(node.name).items()
        }

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copies the numbers in; all or none. Raises CheckpointError naming every key or shape that differs."""
        mine = self.state_dict()
        wrong = [f"{key}: missing in the checkpoint" for key in mine if key not in state]
        wrong += [f"{key}: not part of this network" for key in state if key not in mine]
        wrong += [
            f"{key}: shape {state[key].shape} in the checkpoint, {array.shape} in the network"
            for key, array in mine.items()
            if key in state and state[key].shape != array.shape
        ]
        if wrong:
            raise CheckpointError("the weights do not fit the network:\n  " + "\n  ".join(wrong))
        for key, array in mine.items():
            array[...] = state[key]

    def astype(self, dtype: DTypeLike) -> Model:
        """A copy in another precision."""
        return self._assemble(self.graph, self.parameters, self.buffers, np.dtype(dtype))


def flat_views(flat: Array, like: Mapping[str, Params]) -> dict[str, Params]:
    """Views into one flat array, shaped and named as `like`, one after the other; empty nodes are left out."""
    views: dict[str, Params] = {}
    start = 0
    for name, params in like.items():
        for key, array in params.items():
            views.setdefault(name, {})[key] = flat[start : start + array.size].reshape(array.shape)
            start += array.size
    return views
