"""One entry at least for every registered layer: the generic tests and PyTorch's stored values run over this table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.layers import LAYERS, Layer
from cnncli.layers.base import Params, Shape

Array = NDArray[Any]

BATCH = 2


@dataclass(frozen=True)
class Case:
    """A layer on inputs of these shapes, with fixed numbers."""

    name: str
    layer: Layer
    shapes: tuple[Shape, ...]
    training: bool = False

    @property
    def is_random(self) -> bool:
        return self.training and self.layer.type == "dropout"

    def inputs(self) -> tuple[Array, ...]:
        """(BATCH, *shape) each, none of them with ties or near a kink at 0."""
        return tuple(numbers((BATCH, *shape), 1 + index) for index, shape in enumerate(self.shapes))

    def tensors(self) -> Params:
        """Parameters and buffers with other numbers than they start with."""
        found = self.layer.init(self.shapes, np.random.default_rng(0))
        tensors = {key: 0.5 * numbers(array.shape, 7) for key, array in found.items()}
        for key, array in self.layer.init_buffers(self.shapes).items():
            tensors[key] = array if array.dtype.kind == "i" else array + 0.25 * numbers(array.shape, 8)
        return tensors

    def upstream(self) -> Array:
        return numbers((BATCH, *self.layer.infer(self.shapes)), 9)


def numbers(shape: Shape, offset: float) -> Array:
    """Scattered over -2..2, the same everywhere and always."""
    k = np.arange(1, int(np.prod(shape)) + 1)
    return 2 * np.sin(0.7 * k * k + offset).reshape(shape)


def _cases() -> Iterator[Case]:
    image, flat = (2, 5, 4), (6,)
    table: list[tuple[str, dict[str, Any], tuple[Shape, ...]]] = [
        ("conv2d", {"out_channels": 3, "kernel_size": 3}, (image,)),
        ("conv2d", {"out_channels": 3, "kernel_size": [3, 2], "stride": 2, "padding": 1, "bias": False}, (image,)),
        ("conv2d", {"out_channels": 2, "kernel_size": 3, "padding": "same", "dilation": [2, 1]}, (image,)),
        ("conv2d", {"out_channels": 4, "kernel_size": 2, "groups": 2, "stride": [1, 2]}, (image,)),
        ("conv2d", {"out_channels": 4, "kernel_size": 1}, (image,)),
        ("max_pool2d", {"kernel_size": 2}, (image,)),
        ("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, (image,)),
        ("max_pool2d", {"kernel_size": [2, 3], "stride": 1, "padding": "same"}, (image,)),
        ("avg_pool2d", {"kernel_size": 2}, (image,)),
        ("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, (image,)),
        ("avg_pool2d", {"kernel_size": 3, "stride": 1, "padding": 1, "count_include_pad": False}, (image,)),
        ("global_avg_pool2d", {}, (image,)),
        ("linear", {"out_features": 4}, (flat,)),
        ("linear", {"out_features": 1, "bias": False}, (flat,)),
        ("flatten", {}, (image,)),
        ("batch_norm", {}, (image,)),
        ("batch_norm", {"eps": 1e-3, "momentum": 0.3}, (flat,)),
        ("batch_norm", {"affine": False}, ((3, 4),)),
        ("dropout", {"p": 0.3}, (image,)),
        ("relu", {}, (image,)),
        ("leaky_relu", {"negative_slope": 0.2}, (image,)),
        ("elu", {"alpha": 1.5}, (image,)),
        ("gelu", {}, (image,)),
        ("gelu", {"approximate": "tanh"}, (image,)),
        ("silu", {}, (image,)),
        ("sigmoid", {}, (image,)),
        ("tanh", {}, (image,)),
        ("softmax", {}, (flat,)),
        ("softmax", {}, (image,)),
        ("softplus", {"beta": 2.0, "threshold": 3.0}, (image,)),
        ("identity", {}, (image,)),
        ("add", {}, (image, image, image)),
        ("concat", {}, (image, (3, 5, 4))),
        ("concat", {}, (flat, (2,))),
    ]
    for kind, options, shapes in table:
        layer = LAYERS[kind].model_validate(options)
        name = " ".join([kind, *(f"{key}={value}" for key, value in options.items()), str(len(shapes[0]))])
        yield Case(name, layer, shapes)
        if kind in ("batch_norm", "dropout"):
            yield Case(name + " training", layer, shapes, training=True)


CASES = {case.name: case for case in _cases()}
