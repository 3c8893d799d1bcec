"""One layer's forward pass, in memory of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.engine.layout import to_engine
from cnncli.engine.walk import generator
from cnncli.graph import Node
from cnncli.layers.base import Cache, Params
from cnncli.layers.run import Run

Array = NDArray[Any]

NUMBER = 100
"""What a number of a layer's output takes beside its products, in multiplications: as complex numbers, activations and
pooling take 10 to 50 ns for each, large products 0.2 to 0.5 ns for each multiplication."""


def forward_pass(node: Node, tensors: Params, xs: tuple[Array, ...], seed: int) -> tuple[Array, Cache, Run]:
    """One layer in training, the batch being one micro-batch; the run is ready for backward."""
    run = Run(
        xs[0].dtype,
        training=True,
        batch_size=xs[0].shape[-1],
        needs=(True,) * len(xs),
        owned=(False,) * len(xs),
        generator=generator(seed, node.name, 0, 0),
        empty=_unusable,
    )
    if node.layer.couples_batch:
        run.totals = node.layer.forward_sums(tensors, xs, run)
    y, cache = node.layer.forward(tensors, xs, run)
    return y, cache, run


def _unusable(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """New memory that shows if it is read before it is written."""
    array = np.empty(shape, dtype)
    array[...] = np.nan if array.dtype.kind in "fc" else 113
    return array


def inside(x: Array) -> Array:
    """(N, *shape) to the engine's (*shape, N)."""
    return to_engine(x, Run(x.dtype))


def cast(tensors: Params, dtype: np.dtype[Any]) -> Params:
    """Parameters and buffers as another dtype; counters keep theirs."""
    return {
        key: array.astype(dtype, copy=False) if array.dtype.kind in "fc" else array for key, array in tensors.items()
    }


def work(nodes: Sequence[Node], samples: int) -> float:
    """About how many multiplications the forward passes of these layers take."""
    each = sum(node.layer.macs(node.input_shapes, node.shape) + NUMBER * math.prod(node.shape) for node in nodes)
    return float(samples * each)
