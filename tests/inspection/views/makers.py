"""A small network and what it is shown."""

from __future__ import annotations

import numpy as np

from cnncli.graph import INPUT, Graph, build
from cnncli.inspection.subject import Subject
from cnncli.layers import LAYERS

SUBJECT = Subject("x", samples=3, sample=1)
INPUT_SHAPE = (1, 6, 6)
CHAIN = (
    ("conv1", "conv2d", {"out_channels": 4, "kernel_size": 3}),
    ("relu1", "relu", {}),
    ("pool1", "max_pool2d", {"kernel_size": 2}),
    ("flatten1", "flatten", {}),
    ("dropout1", "dropout", {"p": 0.5}),
    ("linear1", "linear", {"out_features": 3}),
)


def chain(input_shape: tuple[int, ...], *layers: tuple[str, str, dict[str, object]]) -> Graph:
    names = [INPUT, *(name for name, _, _ in layers)]
    return build(
        input_shape,
        [
            (name, LAYERS[kind](**options), (before,))
            for before, (name, kind, options) in zip(names, layers, strict=False)
        ],
    )


def batch() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, *INPUT_SHAPE))
