"""Integrated gradients (Sundararajan et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.inspection.attribution.method import Attribution, Check, Target, portions
from cnncli.inspection.options import among
from cnncli.inspection.progress import Progress, silent

Array = NDArray[Any]

Baseline = Literal["zeros", "mean", "min"]

MOST_STEPS = 1000
"""The nodes of that many steps are found in a second."""


@dataclass(frozen=True)
class IntegratedGradients:
    """(x - b) * the mean of df/dx on the straight way from a baseline b to x (equation 1).

    The mean is an integral, taken by the Gauss-Legendre rule with `steps` nodes: exact where f is a polynomial of
    degree 2 * steps along the way. `baseline`: zeros, as the network takes them; or every channel's own mean, or its
    least number (of a flat input, of all numbers).
    """

    name: ClassVar[str] = "integrated-gradients"
    steps: int = 50
    baseline: Baseline = "zeros"
    progress: Progress = silent

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MOST_STEPS:
            raise UsageError(f"--steps {self.steps}: expected 1 to {MOST_STEPS:,}; 50 are enough for most networks")
        among("--baseline", self.baseline, get_args(Baseline))

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        start = baseline_of(x, self.baseline)
        way = x - start
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        nodes, weights = (nodes + 1) / 2, weights / 2  # from [-1, 1] to [0, 1]
        mean = np.zeros(x.shape)
        for part in portions(self.steps, x, self.progress):
            count = part.stop - part.start
            share = nodes[part].reshape(-1, *(1,) * (x.ndim - 1))
            points = (start[:, None] + share * way[:, None]).reshape(-1, *x.shape[1:])  # (N * count, *input_shape)
            result = executor.differentiate(points.astype(x.dtype), target.repeated(count).objective, everything=True)
            assert result.input_gradient is not None
            gradients = result.input_gradient.reshape(len(x), count, *x.shape[1:])
            mean += np.einsum("k,nk...->n...", weights[part], gradients)
        product = way * mean
        check = Check(
            "completeness",
            "sum of attributions = f(x) - f(baseline)",
            product.reshape(len(x), -1).sum(axis=1),
            np.subtract(target.infer(executor, x), target.infer(executor, start), dtype=np.float64),
        )
        names = {"zeros": "zeros", "mean": "every channel's mean", "min": "every channel's least number"}
        note = f"baseline: {names[self.baseline]}; {self.steps} steps to the input"
        return Attribution(product.astype(executor.model.flat.dtype), signed=True, checks=(check,), notes=(note,))


def baseline_of(x: Array, kind: Baseline) -> Array:
    """What x (N, *input_shape) is compared with, of the same shape."""
    if kind == "zeros":
        return np.zeros_like(x)
    axes = tuple(range(1 if x.ndim == 2 else 2, x.ndim))
    value = x.mean(axis=axes, keepdims=True) if kind == "mean" else x.min(axis=axes, keepdims=True)
    return np.broadcast_to(value, x.shape).astype(x.dtype)
