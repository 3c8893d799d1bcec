"""Which rectifier blocks what: the gradient that arrives at each, and what becomes of it by three rules.

With x what the rectifier was given and g the gradient that arrives, backpropagation stops g where x <= 0; guided
backpropagation also stops it where g < 0 (Springenberg et al. 2015); the deconvnet stops it there alone (Zeiler and
Fergus 2014). Everywhere g is the gradient proper, so that the rules are seen at work on the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class GateShares:
    """What one rectifier does to the gradient that arrives; shares are of the sum of |g|, nan where that is 0."""

    node: str
    gates: int
    open: int
    """How many were given a positive number."""
    blocked_forward: float
    """Arrives where x <= 0: stopped by backpropagation."""
    blocked_backward: float
    """Is negative where x > 0: stopped by guided backpropagation as well."""
    deconvnet: float
    """Is positive, and so let through by the deconvnet."""

    def __str__(self) -> str:
        if self.blocked_forward != self.blocked_forward:
            return f"{self.open:,} of {self.gates:,} gates are open; no gradient arrives"
        guided = 1 - self.blocked_forward - self.blocked_backward
        return (
            f"{self.open:,} of {self.gates:,} gates are open ({self.open / self.gates:.0%}); of the gradient that "
            f"arrives {self.blocked_forward:.0%} is blocked as x <= 0, another {self.blocked_backward:.0%} as it is "
            f"negative: guided lets {max(guided, 0):.0%} through, the deconvnet {self.deconvnet:.0%}"
        )


@dataclass(frozen=True, eq=False)
class Gates:
    """One rectifier's value and the gradient that arrives there, of one sample: both (*shape)."""

    value: Array
    arriving: Array

    @property
    def is_open(self) -> Array:
        """Positive behind the rectifier is positive before it."""
        return self.value > 0

    @property
    def blocked_forward(self) -> Array:
        """What arrives where x <= 0; elsewhere 0."""
        return np.where(self.is_open, 0, self.arriving)

    @property
    def blocked_backward(self) -> Array:
        """What is negative where x > 0."""
        return np.where(self.is_open & (self.arriving < 0), self.arriving, 0)

    @property
    def deconvnet(self) -> Array:
        """What is positive."""
        return np.where(self.arriving < 0, 0, self.arriving)

    def shares(self, node: str) -> GateShares:
        """The rectifier is called `node`."""
        whole = _size(self.arriving)

        def share(part: Array) -> float:
            return _size(part) / whole if whole else float("nan")

        return GateShares(
            node,
            self.value.size,
            int(self.is_open.sum()),
            share(self.blocked_forward),
            share(self.blocked_backward),
            share(self.deconvnet),
        )


def _size(array: Array) -> float:
    """The sum of |.|."""
    return float(np.abs(array).sum(dtype=np.float64))
