"""Small networks and faulty layers for the tests of gradcheck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.gradcheck import GradcheckReport, TensorCheck, gradcheck
from cnncli.layers import LAYERS, Layer
from cnncli.losses import LOSSES, Loss

Array = NDArray[Any]

CROSS_ENTROPY = LOSSES["cross_entropy"]()
MSE = LOSSES["mse"]()


def chain(shape: tuple[int, ...], *layers: tuple[str, dict[str, Any]]) -> Graph:
    """One layer after the other, named by type and place: conv2d0, relu1, ..."""
    nodes, before = [], INPUT
    for place, (kind, options) in enumerate(layers):
        name = f"{kind}{place}"
        nodes.append((name, LAYERS[kind].model_validate(options), (before,)))
        before = name
    return build(shape, nodes)


def small_net() -> Graph:
    """Has a place for every planted error."""
    return chain(
        (2, 9, 9),
        ("conv2d", {"out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 3, "stride": 2}),
        ("flatten", {}),
        ("linear", {"out_features": 4}),
    )


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def check(graph: Graph | Model, x: Array | None = None, loss: Loss = MSE, **options: Any) -> GradcheckReport:
    """Gradcheck on random numbers, and targets that fit."""
    model = graph if isinstance(graph, Model) else Model.create(graph, 1, np.float64)
    x = numbers(3, *model.graph.input_shape) if x is None else x
    shape = model.graph.shape_of(model.graph.logits(loss.link))
    targets = numbers(len(x), *shape, seed=5)
    if loss.link == "softmax":
        targets = np.arange(len(x)) % shape[0]
    elif loss.link == "sigmoid":
        targets = (targets > 0).astype(np.float32)
    return gradcheck(model, x, targets, loss, **options)


def row(report: GradcheckReport, node: str, tensor: str, level: str = "layer") -> TensorCheck:
    (found,) = [c for c in report.tensors if (c.node, c.tensor, c.level) == (node, tensor, level)]
    return found


class Stand:
    """Stands in for a layer. `forward` and `backward` get the layer's own method and its arguments."""

    def __init__(
        self, layer: Layer, *, forward: Callable[..., Any] | None = None, backward: Callable[..., Any] | None = None
    ) -> None:
        self._layer = layer
        self._forward = forward
        self._backward = backward

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    def forward(self, *args: Any) -> Any:
        return self._layer.forward(*args) if self._forward is None else self._forward(self._layer.forward, *args)

    def backward(self, *args: Any) -> Any:
        return self._layer.backward(*args) if self._backward is None else self._backward(self._layer.backward, *args)


def with_stand(graph: Graph, node: str, **methods: Callable[..., Any]) -> Graph:
    """The graph with one layer's methods replaced."""

    def stand(layer: Layer) -> Layer:
        return cast(Layer, Stand(layer, **methods))

    nodes = (replace(n, layer=stand(n.layer)) if n.name == node else n for n in graph.nodes)
    return Graph(graph.input_shape, tuple(nodes))


def spoil(graph: Graph, node: str, tensor: str, change: Callable[[Array], Any]) -> Graph:
    """The graph with a backward whose gradient of `tensor` (batch last) goes through `change`."""

    def backward(own: Callable[..., Any], *args: Any) -> Any:
        dxs, gradients = own(*args)
        if tensor in gradients:
            return dxs, {**gradients, tensor: change(gradients[tensor])}
        place = int(tensor.removeprefix(INPUT) or 0)
        return tuple(change(dx) if i == place and dx is not None else dx for i, dx in enumerate(dxs)), gradients

    return with_stand(graph, node, backward=backward)
