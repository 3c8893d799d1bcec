"""A network that makes every trouble, and data for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import LossObjective
from cnncli.graph import INPUT, Graph, build
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES

Array = NDArray[Any]


def layer(kind: str, **options: Any) -> Any:
    return LAYERS[kind](**options)


def residual(dropout: float = 0.3) -> Graph:
    """Branches, batch norm twice, dropout, pooling: everything that makes running a graph hard."""
    return build(
        (2, 8, 8),
        [
            ("conv1", layer("conv2d", out_channels=4, kernel_size=3, padding=1), (INPUT,)),
            ("norm1", layer("batch_norm"), ("conv1",)),
            ("relu1", layer("relu"), ("norm1",)),
            ("conv2", layer("conv2d", out_channels=4, kernel_size=3, padding=1), ("relu1",)),
            ("norm2", layer("batch_norm"), ("conv2",)),
            ("sum", layer("add"), ("norm2", "relu1")),
            ("relu2", layer("relu"), ("sum",)),
            ("pool", layer("max_pool2d", kernel_size=2), ("relu2",)),
            ("flat", layer("flatten"), ("pool",)),
            ("drop", layer("dropout", p=dropout), ("flat",)),
            ("classes", layer("linear", out_features=5), ("drop",)),
        ],
    )


def data(graph: Graph, samples: int, seed: int = 0) -> tuple[Array, LossObjective]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, *graph.input_shape)).astype(np.float32)
    return x, LossObjective.of(LOSSES["cross_entropy"](), graph, rng.integers(0, graph.output.shape[0], samples))
