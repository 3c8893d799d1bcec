"""The loss alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import LossObjective
from cnncli.engine.layout import to_user
from cnncli.graph import INPUT
from cnncli.inspection.gradcheck.functions.function import Evaluation, scaled
from cnncli.inspection.gradcheck.functions.passes import NUMBER, inside
from cnncli.layers.base import Params

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class LossFunction:
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

    @property
    def windows(self) -> None:
        return None

    @property
    def work(self) -> float:
        return float(NUMBER * self.x.size)

    @property
    def counts(self) -> Mapping[str, int]:
        return {"samples": len(self.x), "outputs": math.prod(self.x.shape[1:])}

    def params_of(self, name: str) -> Params:
        return {}

    def forward(self, name: str, value: Array) -> Evaluation:
        return evaluated(self.objective, inside(value), {})

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        loss = self.objective.loss
        _, cache = loss.forward(inside(self.x), self.objective.targets)
        return {INPUT: to_user(loss.backward(cache) * cotangent)}

    def rescaled(self, rng: np.random.Generator) -> LossFunction:
        return replace(self, x=scaled(self.x, rng), cotangent=scaled(self.cotangent, rng))


def evaluated(objective: LossObjective, y: Array, branches: Mapping[str, Array]) -> Evaluation:
    """The losses of y (*shape, N)."""
    losses, _ = objective.loss.forward(y, objective.targets)
    return Evaluation(losses, branches, np.abs(y).reshape(-1, y.shape[-1]).max(axis=0))
