"""The mistakes that programs for backward are known for, to be planted into layers that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT, Node
from cnncli.inspection.gradcheck.windows import Windows, changed
from cnncli.inspection.proxies import LayerProxy
from cnncli.layers.base import Cache, Layer, Params
from cnncli.layers.run import Run

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class BackwardCall:
    """What a layer's backward is told; arrays are batch last."""

    layer: Layer
    params: Params
    xs: tuple[Array, ...]
    cache: Cache
    dy: Array
    run: Run

    def backward(
        self, dy: Array | None = None, *, weight: Array | None = None, training: bool = True
    ) -> tuple[tuple[Array | None, ...], Params]:
        """The layer's own, with something else in place of what it was told."""
        params = self.params if weight is None else {**self.params, "weight": weight}
        run = replace(self.run, training=training, owns_dy=False)
        return self.layer.backward(params, self.cache, (self.dy if dy is None else dy).copy(), run)

    def padded(self, pads: Sequence[tuple[int, int]]) -> BackwardCall:
        """With the padding as part of the input."""
        layer = changed(self.layer, padding=0)
        border = -np.inf if layer.picks_maximum else 0
        xs = tuple(np.pad(x, pads, constant_values=border) for x in self.xs)
        run = replace(self.run, owned=(False,), needs=(True,), keep=True)
        _, cache = layer.forward(self.params, xs, run)
        return replace(self, layer=layer, xs=xs, cache=cache, run=run)

    def dx(self, dy: Array | None = None, *, weight: Array | None = None, training: bool = True) -> Array:
        """The gradient of the only input."""
        (dx,), _ = self.backward(dy, weight=weight, training=training)
        assert dx is not None
        return dx


@dataclass(frozen=True)
class Fault:
    """`spoil(gradient, call)` is what a faulty backward gives instead of the gradient of `tensor`."""

    name: str
    tensor: str
    fits: Callable[[Node, Params], bool]
    spoil: Callable[[Array, BackwardCall], Array]


class FaultyLayer(LayerProxy):
    """Everything but one gradient is the layer's own; `differs` is whether that ever made a difference."""

    def __init__(self, layer: Layer, fault: Fault) -> None:
        super().__init__(layer)
        self.differs = False
        self._fault = fault

    def forward(self, params: Params, xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        kept = tuple(x.copy() for x in xs)  # the layer may write over them
        y, cache = self.layer.forward(params, xs, run)
        return y, (kept, cache)

    def branches(self, params: Params, cache: Cache) -> Array | None:
        return self.layer.branches(params, cache[1])

    def backward_sums(self, params: Params, cache: Cache, dy: Array, run: Run) -> Array:
        return self.layer.backward_sums(params, cache[1], dy, run)

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> tuple[tuple[Array | None, ...], Params]:
        xs, own = cache
        call = BackwardCall(self.layer, dict(params), xs, own, dy.copy(), run)
        dxs, gradients = self.layer.backward(params, own, dy, run)
        tensor = self._fault.tensor
        if tensor in gradients:
            gradients = {**gradients, tensor: self._spoilt(gradients[tensor], call)}
        elif dxs[0] is not None:
            dxs = (self._spoilt(dxs[0], call), *dxs[1:])
        return dxs, gradients

    def _spoilt(self, gradient: Array, call: BackwardCall) -> Array:
        spoilt = self._fault.spoil(gradient, call)
        self.differs = self.differs or not np.array_equal(spoilt, gradient)
        return spoilt


def _has(tensor: str) -> Callable[[Node, Params], bool]:
    return lambda node, params: tensor in params


def _has_kernel(node: Node, params: Params) -> bool:
    return "weight" in params and params["weight"].ndim == 4 and max(params["weight"].shape[2:]) > 1


def _has_square_kernel(node: Node, params: Params) -> bool:
    return _has_kernel(node, params) and params["weight"].shape[2] == params["weight"].shape[3]


def _has_bias_of_positions(node: Node, params: Params) -> bool:
    return "bias" in params and len(node.shape) == 3 and max(node.shape[1:]) > 1


def _strides(node: Node, params: Params) -> bool:
    window = node.layer.window()
    return len(node.shape) == 3 and window is not None and window[1] != (1, 1) and max(node.shape[1:]) > 1


def _one_entry(gradient: Array, call: BackwardCall) -> Array:
    spoilt = gradient.copy()
    spoilt.flat[spoilt.size // 2] += 0.01 * np.abs(gradient).max()
    return spoilt


def _flipped_weight(gradient: Array, call: BackwardCall) -> Array:
    return call.dx(weight=np.ascontiguousarray(call.params["weight"][..., ::-1, ::-1]))


def _leak(gradient: Array, call: BackwardCall) -> Array:
    return np.where(call.xs[0].real > 0, gradient, 0.01 * call.dy)


def _neighbour(gradient: Array, call: BackwardCall) -> Array:
    """Everything one pixel to the side."""
    return np.roll(gradient, 1, axis=2 if gradient.shape[2] > 1 else 1)


def _unstrided(gradient: Array, call: BackwardCall) -> Array:
    """What each window gives, put where the window would lie if the stride were 1. Windows are taken in groups that do
    not overlap, so that it can be told what each gives."""
    windows = Windows.of(call.layer, call.xs[0].shape[:-1])
    assert windows is not None
    pads = [(0, 0), *windows.padding(), (0, 0)]
    alone = call.padded(pads)
    (height, width), (rows, columns) = windows.extent, windows.stride
    down, across = -(-height // rows), -(-width // columns)
    spoilt = np.zeros_like(alone.xs[0])
    for first in product(range(down), range(across)):
        places = list(product(range(first[0], windows.outputs[0], down), range(first[1], windows.outputs[1], across)))
        dy = np.zeros_like(call.dy)
        for place in places:
            dy[:, *place] = call.dy[:, *place]
        given = alone.dx(dy)
        for row, column in places:
            window = given[:, row * rows : row * rows + height, column * columns : column * columns + width]
            spoilt[:, row : row + height, column : column + width] += window
    (top, _), (left, _) = windows.padding()
    return spoilt[:, top : top + gradient.shape[1], left : left + gradient.shape[2]]


FAULTS = (
    Fault("weight gradient x 1.001", "weight", _has("weight"), lambda g, call: g * 1.001),
    Fault("weight gradient x 2", "weight", _has("weight"), lambda g, call: g * 2),
    Fault("wrong sign of the weight gradient", "weight", _has("weight"), lambda g, call: -g),
    Fault("one entry of the weight gradient", "weight", _has("weight"), _one_entry),
    Fault("bias gradient dropped", "bias", _has("bias"), lambda g, call: np.zeros_like(g)),
    Fault("bias gradient of one position", "bias", _has_bias_of_positions, lambda g, call: call.dy[:, 0, 0].sum(-1)),
    Fault("kernel flipped", "weight", _has_kernel, lambda g, call: g[..., ::-1, ::-1]),
    Fault("kernel transposed", "weight", _has_square_kernel, lambda g, call: g.swapaxes(-1, -2)),
    Fault("kernel flipped on the way back", INPUT, _has_kernel, _flipped_weight),
    Fault("wrong stride", INPUT, _strides, _unstrided),
    Fault("leaky ReLU", INPUT, lambda node, params: node.layer.rectifies, _leak),
    Fault("wrong winner in max pooling", INPUT, lambda node, params: node.layer.picks_maximum, _neighbour),
    Fault(
        "batch statistics as constants",
        INPUT,
        lambda node, params: node.layer.couples_batch,
        lambda g, call: call.dx(training=False),
    ),
)
"""All that go into a layer."""
