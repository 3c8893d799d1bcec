"""The same network in PyTorch: built from a graph, node by node, under the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnncli.graph import INPUT, Graph, Node

Masks = Mapping[str, Tensor]

torch.set_num_threads(1)  # the networks are small, and the tests themselves run side by side


class Twin(nn.Module):
    """`forward` returns the value of every node, by name, each retaining its gradient if `record`.

    `masks`: what dropout multiplies by in training, since the two random generators differ.
    """

    def __init__(self, graph: Graph, masks: Masks | None = None, *, record: bool = True) -> None:
        super().__init__()
        self.graph = graph
        self.record = record
        self.masks = masks or {}
        for node in graph.nodes:
            if node.layer.type in MODULES:
                self.add_module(node.name, MODULES[node.layer.type](node))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        values = {INPUT: x}
        for node in self.graph.nodes:
            values[node.name] = self._value(node, [values[name] for name in node.inputs])
        for value in values.values():
            if self.record and value.requires_grad:
                value.retain_grad()
        return values

    def _value(self, node: Node, xs: list[Tensor]) -> Tensor:
        kind = node.layer.type
        if kind == "dropout":
            return xs[0] * self.masks[node.name] if self.training else xs[0]
        if kind in MODULES:
            return getattr(self, node.name)(_padded(node, xs[0]))
        return FUNCTIONS[kind](node, *xs)


def _conv2d(node: Node) -> nn.Module:
    layer: Any = node.layer
    ((channels, _, _),) = node.input_shapes
    return nn.Conv2d(
        channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        0 if isinstance(layer.padding, str) else layer.padding,
        layer.dilation,
        layer.groups,
        bias=layer.bias is not False,
    )


def _linear(node: Node) -> nn.Module:
    layer: Any = node.layer
    return nn.Linear(node.input_shapes[0][0], layer.out_features, bias=layer.bias is not False)


def _batch_norm(node: Node) -> nn.Module:
    layer: Any = node.layer
    shape = node.input_shapes[0]
    kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
    return kind(shape[0], layer.eps, layer.momentum, layer.affine)


def _pads(node: Node) -> list[int]:
    """Left, right, top, bottom, for `same`; other padding is left to the module."""
    layer: Any = node.layer
    if getattr(layer, "padding", None) != "same":
        return [0, 0, 0, 0]
    geometry = layer.geometry(node.input_shapes[0])
    return [geometry.width.before, geometry.width.after, geometry.height.before, geometry.height.after]


def _padded(node: Node, x: Tensor) -> Tensor:
    return F.pad(x, _pads(node)) if any(_pads(node)) else x


def _max_pool(node: Node, x: Tensor) -> Tensor:
    """In double precision the winners are those of the numbers rounded to single precision.

    Equal windows of an image have equal sums, but PyTorch's convolution may give them with different last bits,
    depending on where they lie; then rounding would decide a tie that belongs to the first of the window.
    """
    layer: Any = node.layer
    padding = (0, 0) if isinstance(layer.padding, str) else layer.padding
    x = F.pad(x, _pads(node), value=-torch.inf)
    y, winners = F.max_pool2d(x.float(), layer.kernel_size, layer.strides, padding, return_indices=True)
    if x.dtype == torch.float32:
        return y
    return x.flatten(2).gather(2, winners.flatten(2)).view_as(y)


def _avg_pool(node: Node, x: Tensor) -> Tensor:
    layer: Any = node.layer
    padding = (0, 0) if isinstance(layer.padding, str) else layer.padding
    return F.avg_pool2d(F.pad(x, _pads(node)), layer.kernel_size, layer.strides, padding)


MODULES: dict[str, Callable[[Node], nn.Module]] = {
    "conv2d": _conv2d,
    "linear": _linear,
    "batch_norm": _batch_norm,
}

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "global_avg_pool2d": lambda node, x: x.mean(dim=(2, 3)),
    "flatten": lambda node, x: x.flatten(1),
    "relu": lambda node, x: F.relu(x),
    "leaky_relu": lambda node, x: F.leaky_relu(x, node.layer.negative_slope),
    "elu": lambda node, x: F.elu(x, node.layer.alpha),
    "gelu": lambda node, x: F.gelu(x, approximate=node.layer.approximate),
    "silu": lambda node, x: F.silu(x),
    "sigmoid": lambda node, x: torch.sigmoid(x),
    "tanh": lambda node, x: torch.tanh(x),
    "softmax": lambda node, x: torch.softmax(x, dim=1),
    "softplus": lambda node, x: F.softplus(x, node.layer.beta, node.layer.threshold),
    "identity": lambda node, x: x + 0,
    "add": lambda node, *xs: sum(xs[1:], xs[0]),
    "concat": lambda node, *xs: torch.cat(xs, dim=1),
}
