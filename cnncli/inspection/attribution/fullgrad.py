"""The completeness of the gradient: f(x) = x . df/dx + what the offsets of the layers add.

A layer that is linear but for an offset gives y = J x + f(0), and so do ReLU and max pooling at each point, with J
their derivative there. Put together, the network's output is the input times its gradient plus, for every layer, its
offset f(0) times the gradient of its output (Srinivas and Fleuret 2019, "Full-Gradient Representation for Neural
Network Visualization", proposition 1). Biases and batch norm are alike in this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.graph import Model, Node
from cnncli.inspection.attribution.method import Check, Target
from cnncli.layers.run import Run

Array = NDArray[Any]

CONDITION = "networks of linear layers, ReLU and the like, and max pooling"


@dataclass(frozen=True, eq=False)
class Parts:
    """What the target is for some inputs, and what it is made of."""

    values: Array  # (N,) f(x)
    gradient: Array  # (N, *input_shape) df/dx
    total: Array  # (N,) x . df/dx + the offsets' share, in double precision


class FullGradient:
    """Differentiates the target of one model with respect to its inputs, and puts it together again."""

    def __init__(self, executor: Executor, at: str) -> None:
        self._executor = executor
        model = executor.model
        nodes = model.graph.up_to(at).nodes
        with np.errstate(all="ignore"):
            self._offsets = _offsets(model, nodes)
            self._exact = all(node.layer.linear or _homogeneous(model, node) for node in nodes)

    def parts(self, x: Array, target: Target) -> Parts:
        """For x (N, *input_shape)."""
        shares = np.zeros(len(x))

        def tap(name: str, what: str, array: Array, samples: slice) -> None:
            if what == "gradient" and name in self._offsets:
                shares[samples] += self._offsets[name] @ array.reshape(-1, array.shape[-1]).astype(np.float64)

        taps = [tap] if self._offsets else []  # with taps, one process does it all
        result = self._executor.differentiate(x, target.objective, everything=True, taps=taps)
        assert result.input_gradient is not None
        products = x.astype(np.float64) * result.input_gradient
        return Parts(result.values, result.input_gradient, shares + products.reshape(len(x), -1).sum(axis=1))

    def check(self, total: Array, values: Array, formula: str = "x . df/dx + offsets' share = f(x)") -> Check:
        """That they are equal, each (N,)."""
        return Check("FullGrad", formula, total, values, self._exact, CONDITION)


def _offsets(model: Model, nodes: Sequence[Node]) -> Mapping[str, Array]:
    """What each layer gives for zeros, flat and in double precision; those that give zeros are left out."""
    offsets = {}
    for node in nodes:
        offset = offset_of(model, node).ravel().astype(np.float64)
        if offset.any():
            offsets[node.name] = offset
    return offsets


def _homogeneous(model: Model, node: Node) -> bool:
    """Whether f(t x) - f(0) = t (f(x) - f(0)) for t > 0: piecewise linear, all pieces meeting at 0.

    Tried on random numbers, of both signs: what bends elsewhere bends there.
    """
    rng = np.random.default_rng(0)
    xs = []
    for shape in node.input_shapes:
        x = rng.normal(size=shape)
        xs.append(np.stack([0 * x, x, -x, 2 * x, -2 * x], axis=-1).astype(model.flat.dtype))
    y = _forward(model, node, tuple(xs))
    once, twice = y[..., 1:3] - y[..., :1], y[..., 3:] - y[..., :1]
    return bool(np.allclose(twice, 2 * once, rtol=1e-5, atol=1e-6))


def offset_of(model: Model, node: Node) -> Array:
    """What a layer gives for inputs of zeros, (*shape, 1)."""
    return _forward(model, node, tuple(np.zeros((*shape, 1), model.flat.dtype) for shape in node.input_shapes))


def _forward(model: Model, node: Node, xs: tuple[Array, ...]) -> Array:
    run = Run(model.flat.dtype, batch_size=xs[0].shape[-1], owned=(False,) * len(xs), keep=False)
    return node.layer.forward(model.tensors(node.name), xs, run)[0]
