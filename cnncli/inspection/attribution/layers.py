"""The values of some layers, and the target's gradient there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.engine.layout import to_user
from cnncli.inspection.attribution.method import Target

Array = NDArray[Any]


def values_and_gradients(
    executor: Executor, x: Array, target: Target, names: Sequence[str]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """By name, each (N, *shape), for x (N, *input_shape); the target depends on all of them."""
    graph, dtype = executor.model.graph, executor.model.flat.dtype
    found = {
        what: {name: np.empty((len(x), *graph.shape_of(name)), dtype) for name in names}
        for what in ("activation", "gradient")
    }

    def tap(name: str, what: str, array: Array, samples: slice) -> None:
        if name in found[what]:
            found[what][name][samples] = to_user(array)

    executor.differentiate(x, target.objective, taps=[tap])
    return found["activation"], found["gradient"]
