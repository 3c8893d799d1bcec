"""A layer alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.layout import to_user
from cnncli.graph import INPUT, Node
from cnncli.inspection.gradcheck.functions.function import Evaluation, scaled
from cnncli.inspection.gradcheck.functions.passes import cast, forward_pass, inside, work
from cnncli.inspection.gradcheck.windows import Windows
from cnncli.layers.base import Cache, Layer, Params
from cnncli.layers.run import Run

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class LayerFunction:
    """A node's layer on recorded inputs (N, *shape), in training; terms and cotangent are (*shape, N)."""

    node: Node
    params: Params
    buffers: Params
    xs: tuple[Array, ...]
    cotangent: Array
    seed: int

    @cached_property
    def tensors(self) -> Mapping[str, Array]:
        return {**self.params, **dict(zip(input_names(self.node), self.xs, strict=True))}

    @cached_property
    def base(self) -> Evaluation:
        return self._evaluation(*forward_pass(self.node, *self._arguments(np.dtype(np.float64)), self.seed))

    @property
    def layer(self) -> Layer:
        """The node's."""
        return self.node.layer

    @cached_property
    def windows(self) -> Windows | None:
        return Windows.of(self.layer, self.node.input_shapes[0])

    @property
    def work(self) -> float:
        return work([self.node], len(self.xs[0]))

    @property
    def counts(self) -> Mapping[str, int]:
        found = {"samples": len(self.xs[0])}
        window, before = self.layer.window(), self.node.input_shapes[0]
        if window is not None:
            found["pixels of a window"] = math.prod(window[0])
        elif len(before) == 3:
            found["pixels of a channel"] = math.prod(before[1:])
        return {**found, "positions": math.prod(self.node.shape[1:]), "inputs": len(self.xs)}

    def params_of(self, name: str) -> Params:
        return self.params

    def forward(self, name: str, value: Array) -> Evaluation:
        tensors, xs = self._arguments(value.dtype)
        if name in self.params:
            return self._evaluation(*forward_pass(self.node, {**tensors, name: value}, xs, self.seed))
        changed = input_names(self.node).index(name)
        moved = tuple(inside(value) if index == changed else x for index, x in enumerate(xs))
        return self._evaluation(*forward_pass(self.node, tensors, moved, self.seed))

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        tensors, xs = self._arguments(np.dtype(np.float64))
        _, cache, run = forward_pass(self.node, tensors, xs, self.seed)
        if self.layer.couples_batch:
            run.totals = self.layer.backward_sums(tensors, cache, cotangent, run)
        dxs, gradients = self.layer.backward(tensors, cache, cotangent, run)
        inputs = zip(input_names(self.node), dxs, strict=True)
        return {**gradients, **{name: None if dx is None else to_user(dx) for name, dx in inputs}}

    def rescaled(self, rng: np.random.Generator) -> LayerFunction:
        params = {key: scaled(array, rng) for key, array in self.params.items()}
        return replace(
            self, params=params, xs=tuple(scaled(x, rng) for x in self.xs), cotangent=scaled(self.cotangent, rng)
        )

    def at(self, x: Array) -> LayerFunction:
        """With another first input."""
        return replace(self, xs=(x, *self.xs[1:]))

    @cached_property
    def _converted(self) -> dict[np.dtype[Any], tuple[Params, tuple[Array, ...]]]:
        return {}

    def _arguments(self, dtype: np.dtype[Any]) -> tuple[Params, tuple[Array, ...]]:
        if dtype not in self._converted:
            tensors = {**self.params, **self.buffers}
            self._converted[dtype] = cast(tensors, dtype), tuple(inside(x.astype(dtype, copy=False)) for x in self.xs)
        return self._converted[dtype]

    def _evaluation(self, y: Array, cache: Cache, run: Run) -> Evaluation:
        branches = self.layer.branches({**self.params, **self.buffers}, cache)
        return Evaluation(y, {} if branches is None else {self.node.name: branches})


def input_names(node: Node) -> tuple[str, ...]:
    """What the inputs of a layer alone are called."""
    return (INPUT,) if len(node.inputs) == 1 else tuple(f"{INPUT}{index}" for index in range(len(node.inputs)))
