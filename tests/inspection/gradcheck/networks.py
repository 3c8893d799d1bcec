"""Small networks and faulty layers for the tests of gradcheck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import worker
from cnncli.engine.plan import Plan, Step
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.gradcheck import GradcheckReport, TensorCheck, gradcheck
from cnncli.inspection.gradcheck.faults import BackwardCall, Fault, FaultyLayer
from cnncli.inspection.proxies import LayerProxy, with_layers
from cnncli.layers import LAYERS, Layer
from cnncli.layers.run import Run
from cnncli.losses import LOSSES, Loss

Array = NDArray[Any]

CROSS_ENTROPY = LOSSES["cross_entropy"]()
MSE = LOSSES["mse"]()
IMAGE = (2, 6, 6)
OPTIONS: dict[str, dict[str, Any]] = {
    "conv2d": {"out_channels": 4, "kernel_size": [3, 2], "stride": 2, "padding": 1, "groups": 2},
    "max_pool2d": {"kernel_size": 3, "stride": 2, "padding": 1},
    "avg_pool2d": {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    "linear": {"out_features": 3},
}
FLAT = {"linear"}


def chain(shape: tuple[int, ...], *layers: tuple[str, dict[str, Any]]) -> Graph:
    """One layer after the other, named by type and place: conv2d0, relu1, ..."""
    nodes, before = [], INPUT
    for place, (kind, options) in enumerate(layers):
        name = f"{kind}{place}"
        nodes.append((name, LAYERS[kind].model_validate(options), (before,)))
        before = name
    return build(shape, nodes)


def small_net() -> Graph:
    """Has a place for every planted error but those of batch norm."""
    return chain(
        (2, 9, 9),
        ("conv2d", {"out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 3, "stride": 2}),
        ("flatten", {}),
        ("linear", {"out_features": 4}),
    )


def deep_net() -> Graph:
    return chain(
        (2, 7, 7),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": 1}),
        ("batch_norm", {}),
        ("tanh", {}),
        ("conv2d", {"out_channels": 8, "kernel_size": 3}),
        ("flatten", {}),
        ("linear", {"out_features": 200}),
        ("sigmoid", {}),
        ("linear", {"out_features": 3}),
    )


def of_kind(kind: str) -> Graph:
    """A layer "it" of that kind, behind something smooth; with three inputs where it takes any number."""
    layer, arity = LAYERS[kind].model_validate(OPTIONS.get(kind, {})), 3 if LAYERS[kind].arity[1] is None else 1
    inputs = tuple(f"in{i}" for i in range(arity))
    stems = [(name, LAYERS["tanh"](), (INPUT,)) for name in inputs]
    return build((7,) if kind in FLAT else IMAGE, [*stems, ("it", layer, inputs)])


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def model_of(graph: Graph) -> Model:
    return Model.create(graph, 1, np.float64)


def check(graph: Graph | Model, x: Array | None = None, loss: Loss = MSE, **options: Any) -> GradcheckReport:
    """Gradcheck on random numbers, and targets that fit."""
    model = graph if isinstance(graph, Model) else model_of(graph)
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


class Stand(LayerProxy):
    """`forward` and `backward` get the layer's own method and its arguments."""

    def __init__(
        self, layer: Layer, *, forward: Callable[..., Any] | None = None, backward: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(layer)
        self._forward = forward
        self._backward = backward

    def forward(self, *args: Any) -> Any:
        return self.layer.forward(*args) if self._forward is None else self._forward(self.layer.forward, *args)

    def backward(self, *args: Any) -> Any:
        return self.layer.backward(*args) if self._backward is None else self._backward(self.layer.backward, *args)


def with_stand(graph: Graph, node: str, **methods: Callable[..., Any]) -> Model:
    """The graph's model with one layer's methods replaced."""
    return with_layers(model_of(graph), {node: Stand(graph.by_name[node].layer, **methods)})


def spoil(graph: Graph, node: str, tensor: str, change: Callable[[Array], Any]) -> Model:
    """With a backward whose gradient of `tensor` (batch last) goes through `change`."""

    def backward(own: Callable[..., Any], *args: Any) -> Any:
        dxs, gradients = own(*args)
        if tensor in gradients:
            return dxs, {**gradients, tensor: change(gradients[tensor])}
        place = int(tensor.removeprefix(INPUT) or 0)
        return tuple(change(dx) if i == place and dx is not None else dx for i, dx in enumerate(dxs)), gradients

    return with_stand(graph, node, backward=backward)


def mistaken(graph: Graph, node: str, tensor: str, mistake: Callable[[BackwardCall], Array]) -> Model:
    """With a backward that computes the gradient of `tensor` from what it is told otherwise than the layer does."""
    fault = Fault("", tensor, lambda node, params: True, lambda gradient, call: mistake(call))
    return with_layers(model_of(graph), {node: FaultyLayer(graph.by_name[node].layer, fault)})


def one_filter(gradient: Array) -> Array:
    changed = gradient.copy()
    changed[6] *= 1.1
    return changed


def real_numbers_only(own: Callable[..., Any], params: Any, xs: tuple[Array, ...], run: Run) -> Any:
    if run.dtype.kind == "c":
        raise TypeError("ufunc 'floor' not supported for the input types")
    return own(params, xs, run)


def rewired(monkeypatch: pytest.MonkeyPatch, change: Callable[[Step], Step]) -> None:
    """Every plan that the engine makes goes through `change`, forward and back."""
    right = worker.make_plan

    def wrong(*args: Any, **options: Any) -> Plan:
        plan = right(*args, **options)
        return Plan(tuple(map(change, plan.forward)), tuple(map(change, plan.backward)))

    monkeypatch.setattr(worker, "make_plan", wrong)
