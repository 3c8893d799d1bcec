"""The gradient of the target with respect to the input, plain, times the input, and smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.inspection.attribution.fullgrad import FullGradient
from cnncli.inspection.attribution.method import Attribution, Target, portions
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent

Array = NDArray[Any]

SAMPLES, NOISE = 50, 0.15
"""What Smilkov et al. found to be enough, and between the 10% and 20% that they found best."""


@dataclass(frozen=True)
class Gradient:
    """df/dx (Simonyan et al. 2014, section 3): how fast the target changes with each number of the input."""

    name: ClassVar[str] = "gradient"

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        full = FullGradient(executor, target.at)
        parts = full.parts(x, target)
        check = full.check(parts.total, parts.values)
        return Attribution(parts.gradient, signed=True, checks=(check,), details=_largest(parts.gradient))


@dataclass(frozen=True)
class InputTimesGradient:
    """x * df/dx (Shrikumar et al. 2017, "Not Just a Black Box"): what each number contributes, were f linear."""

    name: ClassVar[str] = "input-x-gradient"

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        full = FullGradient(executor, target.at)
        parts = full.parts(x, target)
        product = x.astype(parts.gradient.dtype) * parts.gradient
        check = full.check(parts.total, parts.values, "sum of attributions + offsets' share = f(x)")
        return Attribution(product, signed=True, checks=(check,))


@dataclass(frozen=True)
class SmoothGrad:
    """The mean of df/dx over copies of the input with normal noise (Smilkov et al. 2017, equation 1).

    `noise` is its standard deviation as a share of the input's range, max - min. Every input gets the same noise.
    """

    name: ClassVar[str] = "smoothgrad"
    samples: int = SAMPLES
    noise: float = NOISE
    seed: int = 0
    progress: Progress = silent

    def __post_init__(self) -> None:
        at_least("--samples", self.samples)
        at_least("--seed", self.seed, 0)
        if not 0 <= self.noise < np.inf:
            raise UsageError(f"--noise {self.noise:g}: expected a share of the input's range, 0 or more, as in 0.15")

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        full = FullGradient(executor, target.at)
        rng = np.random.default_rng(self.seed)
        axes = tuple(range(1, x.ndim))
        deviation = self.noise * (x.max(axis=axes, keepdims=True) - x.min(axis=axes, keepdims=True)).astype(np.float64)
        gradient, total, values = np.zeros(x.shape), np.zeros(len(x)), np.zeros(len(x))
        for part in portions(self.samples, x, self.progress):
            count = part.stop - part.start
            noise = rng.standard_normal((count, *x.shape[1:]))
            noisy = x[:, None] + deviation[:, None] * noise  # (N, count, *input_shape)
            parts = full.parts(noisy.reshape(-1, *x.shape[1:]).astype(x.dtype), target.repeated(count))
            gradient += parts.gradient.reshape(noisy.shape).sum(axis=1, dtype=np.float64)
            total += parts.total.reshape(-1, count).sum(axis=1)
            values += parts.values.reshape(-1, count).sum(axis=1, dtype=np.float64)
        mean = (gradient / self.samples).astype(executor.model.flat.dtype)
        formula = "mean of x . df/dx + offsets' share = mean of f(x)"
        check = full.check(total / self.samples, values / self.samples, formula)
        noise_text = f"the noise's deviation {self.noise:g} of the input's range (seed {self.seed})"
        note = f"mean over {self.samples:,} noisy inputs, {noise_text}"
        return Attribution(mean, signed=True, checks=(check,), details=_largest(mean), notes=(note,))


def _largest(gradient: Array) -> tuple[tuple[str, Array], ...]:
    """For an input of several channels the largest magnitude among them, as Simonyan et al. show it."""
    if gradient.ndim != 4 or gradient.shape[1] == 1:
        return ()
    return (("max |.|", np.abs(gradient).max(axis=1)),)
