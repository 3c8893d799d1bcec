"""The networks that attributions are compared on, and what they are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.attribution.method import Target
from cnncli.layers import LAYERS

Array = NDArray[Any]
Layers = list[tuple[str, str, dict[str, Any]] | tuple[str, str, dict[str, Any], tuple[str, ...]]]

SAMPLES = 3


def network(shape: tuple[int, ...], layers: Layers) -> Graph:
    """(name, type, options) each after the one before it, or with its inputs as a fourth."""
    built, before = [], INPUT
    for name, kind, options, *inputs in layers:
        built.append((name, LAYERS[kind](**options), inputs[0] if inputs else (before,)))
        before = name
    return build(shape, built)


def _conv(channels: int, size: int = 3, **options: Any) -> dict[str, Any]:
    return {"out_channels": channels, "kernel_size": size, "padding": size // 2, **options}


LENET = network(
    (1, 12, 12),
    [
        ("conv1", "conv2d", _conv(4, 5)),
        ("relu1", "relu", {}),
        ("pool1", "max_pool2d", {"kernel_size": 2}),
        ("conv2", "conv2d", {"out_channels": 6, "kernel_size": 3}),
        ("relu2", "relu", {}),
        ("pool2", "max_pool2d", {"kernel_size": 2}),
        ("flatten", "flatten", {}),
        ("linear1", "linear", {"out_features": 10}),
        ("relu3", "relu", {}),
        ("linear2", "linear", {"out_features": 5}),
    ],
)

RESNET = network(
    (3, 8, 8),
    [
        ("conv1", "conv2d", _conv(4, bias=False)),
        ("norm1", "batch_norm", {}),
        ("relu1", "relu", {}),
        ("conv2", "conv2d", _conv(4, bias=False)),
        ("norm2", "batch_norm", {}),
        ("relu2", "relu", {}),
        ("conv3", "conv2d", _conv(4, bias=False)),
        ("norm3", "batch_norm", {}),
        ("add", "add", {}, ("norm3", "relu1")),
        ("relu3", "relu", {}),
        ("mean", "global_avg_pool2d", {}),
        ("linear", "linear", {"out_features": 4}),
    ],
)

BATCH_NORM = network(
    (2, 8, 8),
    [
        ("conv", "conv2d", _conv(5)),
        ("norm1", "batch_norm", {}),
        ("relu1", "relu", {}),
        ("pool", "avg_pool2d", {"kernel_size": 2}),
        ("flatten", "flatten", {}),
        ("linear1", "linear", {"out_features": 7}),
        ("norm2", "batch_norm", {}),
        ("relu2", "relu", {}),
        ("linear2", "linear", {"out_features": 4}),
    ],
)

TANH = network(
    (1, 6, 6),
    [
        ("conv", "conv2d", _conv(3)),
        ("tanh1", "tanh", {}),
        ("flatten", "flatten", {}),
        ("linear1", "linear", {"out_features": 6}),
        ("tanh2", "tanh", {}),
        ("linear2", "linear", {"out_features": 3}),
    ],
)

LINEAR = network(
    (1, 6, 7),
    [
        ("conv", "conv2d", _conv(3)),
        ("norm", "batch_norm", {}),
        ("pool", "avg_pool2d", {"kernel_size": 2, "padding": 1}),
        ("flatten", "flatten", {}),
        ("linear", "linear", {"out_features": 3}),
    ],
)

NETWORKS = {"lenet": LENET, "resnet": RESNET, "batch-norm": BATCH_NORM}


def model_of(graph: Graph, dtype: str = "float64") -> Model:
    """Random in every number: biases, scales and running statistics too."""
    model = Model.create(graph, seed=5, dtype=dtype)
    rng = np.random.default_rng(7)
    for key, array in model.state_dict().items():
        if key.endswith("running_var"):
            array[...] = rng.uniform(0.5, 2, array.shape)
        elif not key.endswith("num_batches_tracked"):
            array[...] += 0.3 * rng.standard_normal(array.shape)
    return model


def inputs(graph: Graph, samples: int = SAMPLES, dtype: str = "float64") -> Array:
    return np.random.default_rng(11).standard_normal((samples, *graph.input_shape)).astype(dtype)


def target_of(graph: Graph, samples: int = SAMPLES) -> Target:
    """Another class for each sample."""
    return Target(graph.output.name, np.arange(samples)[:, None] % graph.output.shape[0])
