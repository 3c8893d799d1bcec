"""Where numbers stopped being finite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.graph import INPUT, Model

Array = NDArray[Any]


def first_bad_value(executor: Executor, x: Array, step: int) -> str | None:
    """The first value of the network, a node or INPUT, that is not finite in a training step on x; None if all are."""
    bad = set()

    def look(name: str, what: str, array: Array, samples: slice) -> None:
        if not np.isfinite(array).all():
            bad.add(name)

    executor.infer(x, training=True, step=step, taps=[look])
    names = (INPUT, *(node.name for node in executor.model.graph.nodes))
    return next((name for name in names if name in bad), None)


def bad_samples(x: Array) -> Array:
    """The indices of the samples that hold a number that is not finite."""
    return np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))


def first_bad_tensor(model: Model) -> str | None:
    """The first parameter or buffer that is not finite, as `<node>.<key>`; None if all are."""
    return next((key for key, array in model.state_dict().items() if not np.isfinite(array).all()), None)
