"""Everything that flowed through the network on one batch, collected by taps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.executor import Executor
from cnncli.engine.layout import to_user
from cnncli.engine.objective import Objective
from cnncli.graph import INPUT
from cnncli.layers.base import Params

Array = NDArray[Any]


@dataclass
class Recording:
    """Copies, batch first, by the name of the value (nodes and "input") or of the node."""

    output: Array  # (N, *shape) of the network, or what the objective read
    activations: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)
    parameter_gradients: dict[str, Params] = field(default_factory=dict)
    values: Array | None = None  # (N,) the objective of every sample


class _Recorder:
    """A tap: each micro-batch fills its own samples of the values that are kept."""

    def __init__(self, executor: Executor, samples: int, names: Collection[str] | None, *kinds: str) -> None:
        graph, dtype = executor.model.graph, executor.model.flat.dtype
        kept = [name for name in graph.consumers if names is None or name in names]
        self.arrays = {
            kind: {name: np.zeros((samples, *graph.shape_of(name)), dtype) for name in kept} for kind in kinds
        }

    def __call__(self, name: str, what: str, array: Array, samples: slice) -> None:
        arrays = self.arrays.get(what, {})
        if name in arrays:
            arrays[name][samples] = to_user(array)


def record_forward(
    executor: Executor, x: Array, *, training: bool = False, step: int = 0, names: Collection[str] | None = None
) -> Recording:
    """The activations for x (N, *input_shape): all, or those of `names`; `step` selects the dropout masks."""
    recorder = _Recorder(executor, len(x), names, "activation")
    output = executor.infer(x, training=training, step=step, taps=[recorder])
    return Recording(output, recorder.arrays["activation"])


def record_backward(
    executor: Executor,
    x: Array,
    objective: Objective,
    *,
    training: bool = False,
    step: int = 0,
    names: Collection[str] | None = None,
) -> Recording:
    """The activations and gradients for x (N, *input_shape): all, or those of `names`.

    `step` selects the dropout masks.
    Nodes that the objective does not depend on have no gradient: they are absent. (A loss that reads the logits
    before a final softmax does not depend on that softmax.)
    """
    recorder = _Recorder(executor, len(x), names, "activation", "gradient")
    result = executor.differentiate(x, objective, training=training, step=step, taps=[recorder])
    reached = {INPUT, *executor.model.graph.ancestors(objective.at)}
    return Recording(
        result.output,
        recorder.arrays["activation"],
        {name: array for name, array in recorder.arrays["gradient"].items() if name in reached},
        {name: {key: array.copy() for key, array in params.items()} for name, params in result.gradients.items()},
        result.values,
    )
