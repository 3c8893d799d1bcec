"""What the methods have in common: what is explained, what comes out, and the check that comes with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, LogitObjective
from cnncli.graph import INPUT
from cnncli.inspection.progress import Progress, silent

Array = NDArray[Any]

COPIES_BYTES = 1 << 24
"""About how much of changed inputs is held at a time."""


@dataclass(frozen=True, eq=False)
class Target:
    """One number of the value `at` for every sample: `index` is (N, ndim of the value), the logit of a class."""

    at: str
    index: Array

    @property
    def objective(self) -> LogitObjective:
        """To be differentiated."""
        return LogitObjective(self.at, self.index)

    def repeated(self, times: int) -> Target:
        """For a batch in which every sample stands `times` times, one after the other."""
        return Target(self.at, np.repeat(self.index, times, axis=0))

    def of(self, values: Array) -> Array:
        """These numbers, (N,), of the values (N, *shape)."""
        chosen: Array = values[np.arange(len(values)), *self.index.T]
        return chosen

    def infer(self, executor: Executor, x: Array) -> Array:
        """These numbers, (N,), for x (N, *input_shape)."""
        return self.of(executor.infer(x, at=self.at))

    def __getitem__(self, samples: slice) -> Target:
        return Target(self.at, self.index[samples])


@dataclass(frozen=True, eq=False)
class Check:
    """Two numbers for every sample that theory says are equal."""

    name: str
    """"completeness"."""
    formula: str
    """ "sum of attributions = f(x) - f(baseline)"."""
    left: Array  # (N,)
    right: Array  # (N,)
    holds: bool = True
    """False where theory promises it for other networks only: the residual is then told, not judged."""
    condition: str = ""
    """For which networks it is promised, where not for all: "networks without ...": told where it does not hold."""

    @property
    def residual(self) -> Array:
        """|left - right| / max(|left|, |right|), (N,); 0 where both are 0."""
        size = np.maximum(np.abs(self.left), np.abs(self.right))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(size == 0, 0.0, np.abs(self.left - self.right) / size)


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each number counts: `values` are (N, *input_shape), or maps (N, h, w), coarser or of all channels."""

    values: Array
    signed: bool
    checks: tuple[Check, ...] = ()
    details: tuple[tuple[str, Array], ...] = ()
    """More maps to be shown beside it, each (N, ...), by name."""
    notes: tuple[str, ...] = ()
    """What is to be said under the pictures: what was chosen, where the method comes down to another."""
    node: str = INPUT
    """Whose values are attributed to: the input's, or a layer's."""


class Method(Protocol):
    """A way to attribute; its fields are its options."""

    name: ClassVar[str]

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        """For x (N, *input_shape). The executor's model is as at inference, and is left as it is."""


def portions(copies: int, x: Array, progress: Progress = silent) -> Iterator[slice]:
    """0..copies in portions, so that each of the samples x can be held as often as there are in a portion."""
    size = max(1, COPIES_BYTES // max(x.nbytes, 1))
    for start in range(0, copies, size):
        progress(start, copies)
        yield slice(start, min(start + size, copies))
    progress(copies, copies)
