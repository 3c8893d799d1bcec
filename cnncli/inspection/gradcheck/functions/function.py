"""What the oracles know of what is differentiated.

It is a function from named tensors, batch first, to an array of terms; the scalar that is differentiated is
sum(cotangent * terms).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.gradcheck.windows import Windows

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


class Function(Protocol):
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

    @property
    def windows(self) -> Windows | None:
        """How the terms see the positions of the first input; None where they do not see windows of them."""

    @property
    def work(self) -> float:
        """About how many multiplications a forward pass takes."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What there may be a mean over, in words: "samples", "positions"; and how many of these there are."""

    def params_of(self, name: str) -> Mapping[str, Array]:
        """All parameters of the layer that a tensor belongs to."""

    def forward(self, name: str, value: Array) -> Evaluation:
        """With another value, real or complex, of one tensor. `branches` are at least those that may have changed."""

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        """What backward says of sum(cotangent * terms); None, or no entry, where it says nothing."""

    def rescaled(self, rng: np.random.Generator) -> Function:
        """The same at a point close by, where every rounding falls out differently. A tensor is scaled as a whole,
        so that equal numbers stay equal and zeros stay zeros."""


def scaled(array: Array, rng: np.random.Generator) -> Array:
    """The same numbers close by."""
    result: Array = array * (1 + CLOSE * rng.uniform(-1, 1))
    return result


def is_input(name: str) -> bool:
    """Whether a tensor of that name is an input, of a layer or of the network, and no parameter."""
    return re.fullmatch(rf"{INPUT}\d*", name) is not None
