"""The network as plain data: named nodes in order with inferred shapes, and the model that adds numbers.

Nothing here computes: shapes come from integers (`Layer.infer`), parameters from `Layer.init`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

from cnncli.errors import CheckpointError, ShapeError
from cnncli.layers.base import Array, Layer, Params, Shape

Shapes = Mapping[str, Mapping[str, Shape]]
"""By node and key."""

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


@dataclass(frozen=True)
class Layout:
    """How a model's numbers lie in memory: the parameters as one flat array, then every buffer."""

    dtype: np.dtype
    parameters: Shapes
    buffers: Mapping[str, Mapping[str, tuple[Shape, np.dtype]]]

    @classmethod
    def of(cls, parameters: Mapping[str, Params], buffers: Mapping[str, Params], dtype: np.dtype) -> Layout:
        """For these arrays in another precision, which integers are not touched by."""
        return cls(
            dtype,
            shapes_of(parameters),
            {
                name: {
                    key: (array.shape, dtype if array.dtype.kind in "fc" else array.dtype)
                    for key, array in arrays.items()
                }
                for name, arrays in buffers.items()
            },
        )

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(math.prod(shape) for params in self.parameters.values() for shape in params.values())

    @property
    def flat_bytes(self) -> int:
        return _aligned(self.size * self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        specs = (spec for params in self.buffers.values() for spec in params.values())
        return self.flat_bytes + sum(_aligned(math.prod(shape) * dtype.itemsize) for shape, dtype in specs)


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
        layout = Layout.of(parameters, buffers, dtype)
        model = cls.on(graph, layout, np.empty(layout.nbytes, np.uint8))
        model._copy_numbers(parameters, buffers)
        return model

    @classmethod
    def on(cls, graph: Graph, layout: Layout, memory: Array) -> Model:
        """With the numbers that lie in `memory`, (layout.nbytes,) uint8: nothing is copied."""
        flat = memory[: layout.flat_bytes].view(layout.dtype)
        buffers: dict[str, Params] = {}
        start = layout.flat_bytes
        for name, specs in layout.buffers.items():
            for key, (shape, dtype) in specs.items():
                stop = start + math.prod(shape) * dtype.itemsize
                buffers.setdefault(name, {})[key] = memory[start:stop].view(dtype).reshape(shape)
                start += _aligned(stop - start)
        return cls(graph, flat[: layout.size], flat_views(flat, layout.parameters), buffers)

    @property
    def layout(self) -> Layout:
        """Where its numbers lie."""
        return Layout.of(self.parameters, self.buffers, self.flat.dtype)

    def move(self, memory: Array) -> None:
        """Its numbers lie in `memory`, (layout.nbytes,) uint8, from now on; arrays taken before are copies then."""
        moved = Model.on(self.graph, self.layout, memory)
        moved._copy_numbers(self.parameters, self.buffers)
        self.flat, self.parameters, self.buffers = moved.flat, moved.parameters, moved.buffers

    def _copy_numbers(self, parameters: Mapping[str, Params], buffers: Mapping[str, Params]) -> None:
        for mine, theirs in ((self.parameters, parameters), (self.buffers, buffers)):
            for name, params in mine.items():
                for key, array in params.items():
                    array[...] = theirs[name][key]

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


def flat_views(flat: Array, shapes: Shapes) -> dict[str, Params]:
    """Views into one flat array, one after the other; nodes without any are left out."""
    views: dict[str, Params] = {}
    start = 0
    for name, params in shapes.items():
        for key, shape in params.items():
            stop = start + math.prod(shape)
            views.setdefault(name, {})[key] = flat[start:stop].reshape(shape)
            start = stop
    return views


def shapes_of(params: Mapping[str, Params]) -> Shapes:
    """Of every array."""
    return {name: {key: array.shape for key, array in arrays.items()} for name, arrays in params.items()}


def _aligned(size: int) -> int:
    """The next multiple of a cache line."""
    return -(-size // 64) * 64
