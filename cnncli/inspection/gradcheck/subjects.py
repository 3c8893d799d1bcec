"""What is differentiated: a layer alone, the loss alone, the whole network. All three look alike to the oracles.

Each is a function from named tensors, batch first, to an array of terms; the scalar that is differentiated is
sum(cotangent * terms). Layers are called one by one here, with no memory shared between them, which makes this walk
independent of the executor whose gradients it judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.engine import Executor, LossObjective
from cnncli.engine.layout import to_engine, to_user
from cnncli.engine.walk import generator
from cnncli.graph import INPUT, Model, Node
from cnncli.layers.base import Cache, Params
from cnncli.layers.run import Run

Array = NDArray[Any]

CLOSE = 1e-7
"""How far away, in relation to everything's magnitude, "close by" is."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The terms, and the branch that every element of every piecewise layer took."""

    terms: Array
    branches: Mapping[str, Array] = field(default_factory=dict)
    operands: Array | None = None
    """How large the numbers were that each term was made from, where that is more than the term: a loss of 1e-7 is a
    difference of logits of 10, and has their rounding."""

    @cached_property
    def magnitudes(self) -> Array:
        """What the rounding of each term goes by."""
        sizes = np.abs(self.terms)
        return sizes if self.operands is None else np.maximum(sizes, self.operands)


class Subject(Protocol):
    """Something to be differentiated at one point."""

    @property
    def tensors(self) -> Mapping[str, Array]:
        """The point, float64."""

    @property
    def cotangent(self) -> Array:
        """The weights of the terms."""

    @property
    def base(self) -> Evaluation:
        """At the point itself."""

    def forward(self, name: str, value: Array) -> Evaluation:
        """With another value, real or complex, of one tensor. `branches` are at least those that may have changed."""

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        """What backward says of sum(cotangent * terms); None, or no entry, where it says nothing."""

    def rescaled(self, rng: np.random.Generator) -> Subject:
        """The same at a point close by, where every rounding falls out differently. A tensor is scaled as a whole,
        so that equal numbers stay equal and zeros stay zeros."""


def _scaled(array: Array, rng: np.random.Generator) -> Array:
    scaled: Array = array * (1 + CLOSE * rng.uniform(-1, 1))
    return scaled


@dataclass(frozen=True, eq=False)
class LayerSubject:
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
        return self._evaluation(*_forward(self.node, *self._arguments(np.dtype(np.float64)), self.seed))

    def forward(self, name: str, value: Array) -> Evaluation:
        tensors, xs = self._arguments(value.dtype)
        if name in self.params:
            return self._evaluation(*_forward(self.node, {**tensors, name: value}, xs, self.seed))
        changed = input_names(self.node).index(name)
        moved = tuple(_inside(value) if index == changed else x for index, x in enumerate(xs))
        return self._evaluation(*_forward(self.node, tensors, moved, self.seed))

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        tensors, xs = self._arguments(np.dtype(np.float64))
        layer = self.node.layer
        _, cache, run = _forward(self.node, tensors, xs, self.seed)
        if layer.couples_batch:
            run.totals = layer.backward_sums(tensors, cache, cotangent, run)
        dxs, gradients = layer.backward(tensors, cache, cotangent, run)
        inputs = zip(input_names(self.node), dxs, strict=True)
        return {**gradients, **{name: None if dx is None else to_user(dx) for name, dx in inputs}}

    def rescaled(self, rng: np.random.Generator) -> LayerSubject:
        params = {key: _scaled(array, rng) for key, array in self.params.items()}
        return replace(
            self, params=params, xs=tuple(_scaled(x, rng) for x in self.xs), cotangent=_scaled(self.cotangent, rng)
        )

    def at(self, x: Array) -> LayerSubject:
        """With another first input."""
        return replace(self, xs=(x, *self.xs[1:]))

    @cached_property
    def _converted(self) -> dict[np.dtype[Any], tuple[Params, tuple[Array, ...]]]:
        return {}

    def _arguments(self, dtype: np.dtype[Any]) -> tuple[Params, tuple[Array, ...]]:
        if dtype not in self._converted:
            tensors = {**self.params, **self.buffers}
            self._converted[dtype] = _cast(tensors, dtype), tuple(_inside(x.astype(dtype, copy=False)) for x in self.xs)
        return self._converted[dtype]

    def _evaluation(self, y: Array, cache: Cache, run: Run) -> Evaluation:
        branches = self.node.layer.branches({**self.params, **self.buffers}, cache)
        return Evaluation(y, {} if branches is None else {self.node.name: branches})


@dataclass(frozen=True, eq=False)
class LossSubject:
    """The loss on what the network gives it, "input", (N, *shape); the terms are the samples' losses."""

    objective: LossObjective
    x: Array
    cotangent: Array

    @cached_property
    def tensors(self) -> Mapping[str, Array]:
        return {INPUT: self.x}

    @cached_property
    def base(self) -> Evaluation:
        return self.forward(INPUT, self.x)

    def forward(self, name: str, value: Array) -> Evaluation:
        return _evaluated(self.objective, _inside(value), {})

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        loss = self.objective.loss
        _, cache = loss.forward(_inside(self.x), self.objective.targets)
        return {INPUT: to_user(loss.backward(cache) * cotangent)}

    def rescaled(self, rng: np.random.Generator) -> LossSubject:
        return replace(self, x=_scaled(self.x, rng), cotangent=_scaled(self.cotangent, rng))


@dataclass(frozen=True, eq=False)
class NetworkSubject:
    """The mean loss of the network, in training, for x (N, *input_shape); the terms are the samples' losses.

    Tensors are called "<node>.<key>" and "input". The gradients are the executor's: those of the parameters from a step
    as in training, which has no gradient of the input and may take layers in another order.
    """

    model: Model
    x: Array
    objective: LossObjective
    seed: int

    @cached_property
    def tensors(self) -> Mapping[str, Array]:
        parameters = self.model.parameters.items()
        return {**{f"{node}.{key}": array for node, keys in parameters for key, array in keys.items()}, INPUT: self.x}

    @cached_property
    def cotangent(self) -> Array:
        return np.full(len(self.x), 1 / len(self.x))

    @cached_property
    def base(self) -> Evaluation:
        return self._walk(self._values, {}, "")

    def forward(self, name: str, value: Array) -> Evaluation:
        """Only what the tensor has an influence on is computed again."""
        if name == INPUT:
            return self._walk({INPUT: _inside(value)}, {}, "")
        node, _, key = name.rpartition(".")
        self.base  # noqa: B018 - the values that do not change
        return self._walk({}, {key: value}, node)

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        with Executor(self.model, workers=1, seed=self.seed) as executor:
            step = executor.differentiate(self.x, self.objective, training=True).gradients.items()
            found: dict[str, Array | None] = {
                f"{node}.{key}": array.copy() for node, keys in step for key, array in keys.items()
            }
            whole = executor.differentiate(self.x, self.objective, training=True, everything=True)
        return {**found, INPUT: whole.input_gradient}

    def executed(self) -> Array:
        """The samples' losses as the executor computes them."""
        with Executor(self.model, workers=1, seed=self.seed) as executor:
            return executor.differentiate(self.x, self.objective, training=True).values

    def rescaled(self, rng: np.random.Generator) -> NetworkSubject:
        model = self.model.astype(np.float64)
        for params in model.parameters.values():
            for array in params.values():
                array[...] = _scaled(array, rng)
        return NetworkSubject(model, _scaled(self.x, rng), self.objective, self.seed)

    @cached_property
    def _values(self) -> dict[str, Array]:
        """Every value at the point, (*shape, N)."""
        return {INPUT: _inside(self.x)}

    def _walk(self, changed: dict[str, Array], params: Params, start: str) -> Evaluation:
        """From what has changed, values or the parameters of the node `start`, to the loss."""
        branches: dict[str, Array] = {}
        dtype = np.result_type(*changed.values(), *params.values())
        for node in self.model.graph.nodes:
            if node.name != start and changed.keys().isdisjoint(node.inputs):
                continue
            tensors = _cast(self.model.tensors(node.name), dtype) | (params if node.name == start else {})
            xs = tuple(
                changed[name] if name in changed else self._values[name].astype(dtype, copy=False)
                for name in node.inputs
            )
            changed[node.name], cache, _ = _forward(node, tensors, xs, self.seed)
            taken = node.layer.branches(tensors, cache)
            if taken is not None:
                branches[node.name] = taken
        at = self.objective.at
        y = changed[at] if at in changed else self._values[at].astype(dtype, copy=False)
        return _evaluated(self.objective, y, branches)


def _evaluated(objective: LossObjective, y: Array, branches: Mapping[str, Array]) -> Evaluation:
    """The losses of y (*shape, N)."""
    losses, _ = objective.loss.forward(y, objective.targets)
    return Evaluation(losses, branches, np.abs(y).reshape(-1, y.shape[-1]).max(axis=0))


def input_names(node: Node) -> tuple[str, ...]:
    """What the inputs of a layer alone are called."""
    return (INPUT,) if len(node.inputs) == 1 else tuple(f"{INPUT}{index}" for index in range(len(node.inputs)))


def is_input(name: str) -> bool:
    """Whether a tensor of that name is an input, of a layer or of the network, and no parameter."""
    return name == INPUT or name.removeprefix(INPUT).isdigit()


def _forward(node: Node, tensors: Params, xs: tuple[Array, ...], seed: int) -> tuple[Array, Cache, Run]:
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


def _inside(x: Array) -> Array:
    return to_engine(x, Run(x.dtype))


def _cast(tensors: Params, dtype: np.dtype[Any]) -> Params:
    """Counters keep their dtype."""
    return {
        key: array.astype(dtype, copy=False) if array.dtype.kind in "fc" else array for key, array in tensors.items()
    }
