"""The whole network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, LossObjective
from cnncli.graph import INPUT, Model
from cnncli.inspection.gradcheck.functions.function import Evaluation, scaled
from cnncli.inspection.gradcheck.functions.loss import evaluated
from cnncli.inspection.gradcheck.functions.passes import cast, forward_pass, inside, work
from cnncli.layers.base import Params

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class NetworkFunction:
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

    @property
    def windows(self) -> None:
        return None

    @property
    def work(self) -> float:
        return work(self.model.graph.nodes, len(self.x))

    @property
    def counts(self) -> Mapping[str, int]:
        return {"samples": len(self.x)}

    def params_of(self, name: str) -> Params:
        node, _, _ = name.rpartition(".")
        return self.model.parameters.get(node, {})

    def forward(self, name: str, value: Array) -> Evaluation:
        """Only what the tensor has an influence on is computed again."""
        if name == INPUT:
            return self._walk({INPUT: inside(value)}, {}, "")
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

    def rescaled(self, rng: np.random.Generator) -> NetworkFunction:
        model = self.model.astype(np.float64)
        for params in model.parameters.values():
            for array in params.values():
                array[...] = scaled(array, rng)
        return NetworkFunction(model, scaled(self.x, rng), self.objective, self.seed)

    @cached_property
    def _values(self) -> dict[str, Array]:
        """Every value at the point, (*shape, N)."""
        return {INPUT: inside(self.x)}

    def _walk(self, changed: dict[str, Array], params: Params, start: str) -> Evaluation:
        """From what has changed, values or the parameters of the node `start`, to the loss."""
        branches: dict[str, Array] = {}
        dtype = np.result_type(*changed.values(), *params.values())
        for node in self.model.graph.nodes:
            if node.name != start and changed.keys().isdisjoint(node.inputs):
                continue
            tensors = cast(self.model.tensors(node.name), dtype) | (params if node.name == start else {})
            xs = tuple(
                changed[name] if name in changed else self._values[name].astype(dtype, copy=False)
                for name in node.inputs
            )
            changed[node.name], cache, _ = forward_pass(node, tensors, xs, self.seed)
            taken = node.layer.branches(tensors, cache)
            if taken is not None:
                branches[node.name] = taken
        at = self.objective.at
        y = changed[at] if at in changed else self._values[at].astype(dtype, copy=False)
        return evaluated(self.objective, y, branches)
