"""Random networks: any layer after any other that fits, with branches, additions and concatenations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnncli.errors import ShapeError
from cnncli.graph import INPUT, Graph, build
from cnncli.layers import LAYERS
from cnncli.layers.base import Layer, Shape

Options = dict[str, Any]
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "softmax", "softplus", "identity")


@dataclass
class _Sketch:
    """A network that is being drawn; `open` are the values that nobody reads yet."""

    rng: np.random.Generator
    shapes: dict[str, Shape]
    layers: list[tuple[str, Layer, tuple[str, ...]]] = field(default_factory=list)

    def add(self, kind: str, inputs: tuple[str, ...], **options: Any) -> str | None:
        """The new node's name, or None if it does not fit."""
        layer = LAYERS[kind](**options)
        try:
            shape = layer.infer(tuple(self.shapes[name] for name in inputs))
        except ShapeError:
            return None
        name = f"{kind}{len(self.layers)}"
        self.shapes[name] = shape
        self.layers.append((name, layer, inputs))
        return name


def random_graph(seed: int) -> Graph:
    """About 8 to 14 nodes from a small image to a vector of 3 to 6 outputs."""
    rng = np.random.default_rng(seed)
    channels, height, width = (int(rng.integers(low, high)) for low, high in ((1, 4), (7, 12), (7, 12)))
    sketch = _Sketch(rng, {INPUT: (channels, height, width)})
    value = INPUT
    for _ in range(rng.integers(4, 7)):
        value = _branch(sketch, value) if rng.random() < 0.4 else _grow(sketch, value, _image_layer)
    value = sketch.add(rng.choice(["flatten", "global_avg_pool2d"]), (value,)) or value
    for _ in range(rng.integers(0, 3)):
        value = _grow(sketch, value, _vector_layer)
    value = sketch.add("linear", (value,), out_features=int(rng.integers(3, 7))) or value
    return build(sketch.shapes[INPUT], sketch.layers)


def _grow(sketch: _Sketch, value: str, draw: Callable[[np.random.Generator, Shape], tuple[str, Options]]) -> str:
    kind, options = draw(sketch.rng, sketch.shapes[value])
    return sketch.add(kind, (value,), **options) or value


def _branch(sketch: _Sketch, value: str) -> str:
    """Two ways that meet again: added where the shapes allow it, else concatenated, else one of them dropped."""
    left = _grow(sketch, value, _same_size_layer)
    left = _grow(sketch, left, _activation)
    right = value if sketch.rng.random() < 0.5 else _grow(sketch, value, _same_size_layer)
    kinds = ["add", "concat"] if sketch.shapes[left] == sketch.shapes[right] else ["concat"]
    return sketch.add(sketch.rng.choice(kinds), (left, right)) or left


def _activation(rng: np.random.Generator, shape: Shape) -> tuple[str, Options]:
    return str(rng.choice(ACTIVATIONS)), {}


def _same_size_layer(rng: np.random.Generator, shape: Shape) -> tuple[str, Options]:
    kernel = int(rng.choice([1, 3, 5]))
    dilation = int(rng.integers(1, 3))
    out = shape[0] if rng.random() < 0.6 else int(rng.integers(1, 6))
    return "conv2d", {"out_channels": out, "kernel_size": kernel, "padding": "same", "dilation": dilation}


def _image_layer(rng: np.random.Generator, shape: Shape) -> tuple[str, Options]:
    kind = rng.choice(["conv2d", "grouped", "batch_norm", "max_pool2d", "avg_pool2d", "activation"])
    kernel = [int(rng.integers(1, 4)), int(rng.integers(1, 4))]
    if kind == "activation":
        return _activation(rng, shape)
    if kind == "batch_norm":
        return "batch_norm", {}
    if kind == "conv2d":
        options = {"out_channels": int(rng.integers(2, 9)), "kernel_size": kernel, "bias": bool(rng.integers(2))}
        return "conv2d", {**options, "stride": int(rng.integers(1, 3)), "padding": int(rng.integers(0, 3))}
    if kind == "grouped":
        factor = int(rng.integers(1, 3))
        return "conv2d", {"out_channels": shape[0] * factor, "kernel_size": 3, "padding": 1, "groups": shape[0]}
    padding = [int(rng.integers(0, size // 2 + 1)) for size in kernel]
    stride = [int(rng.integers(1, 3)) for _ in kernel]
    return str(kind), {"kernel_size": kernel, "stride": stride, "padding": padding}


def _vector_layer(rng: np.random.Generator, shape: Shape) -> tuple[str, Options]:
    kind = rng.choice(["linear", "batch_norm", "activation"])
    if kind == "activation":
        return _activation(rng, shape)
    return (str(kind), {"out_features": int(rng.integers(3, 12))}) if kind == "linear" else (str(kind), {})
