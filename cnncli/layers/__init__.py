"""The layers: one class each, registered here under its name in YAML."""

from __future__ import annotations

from cnncli.layers.activations import Elu, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh
from cnncli.layers.base import Layer
from cnncli.layers.conv import Conv2d
from cnncli.layers.dropout import Dropout
from cnncli.layers.linear import Linear
from cnncli.layers.merge import Add, Concat
from cnncli.layers.normalization import BatchNorm
from cnncli.layers.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from cnncli.layers.shaping import Flatten, Identity
from cnncli.layers.softmax import Softmax

LAYERS: dict[str, type[Layer]] = {
    layer.type: layer
    for layer in (
        Conv2d,
        MaxPool2d,
        AvgPool2d,
        GlobalAvgPool2d,
        Linear,
        Flatten,
        BatchNorm,
        Dropout,
        Relu,
        LeakyRelu,
        Elu,
        Gelu,
        Silu,
        Sigmoid,
        Tanh,
        Softmax,
        Softplus,
        Identity,
        Add,
        Concat,
    )
}

__all__ = ["LAYERS", "Layer"]
