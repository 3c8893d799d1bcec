"""What a trace holds: which number, the arithmetic it comes from, and what the engine says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.receptive import Box, Pair
from cnncli.inspection.subject import Subject

Array = NDArray[Any]
Shape = tuple[int, ...]
Place = tuple[int, ...]

QUIET = np.errstate(all="ignore")
"""A decorator: NaN and infinity are shown like other numbers."""
TOLERANCE = 1e-12
"""How far the sum of the terms and the engine's number may lie apart, in relation to the terms' magnitudes: in double
precision another order of a sum changes some 1e-15 of that."""
SATURATED = 0.01
"""Times the tolerance: some 50 times the rounding of double precision."""


@dataclass(frozen=True)
class Number:
    """One number of one tensor, or its gradient."""

    node: str
    """A layer, "input" or "loss"."""
    key: str | None
    """"weight", "bias", ...; None for the layer's output."""
    type: str
    """The layer's; of a loss its own."""
    shape: Shape
    index: Place
    sample: int | None
    """None for a parameter, which has a part in all samples."""
    gradient: bool
    """Whether it is dL/d of it."""

    @property
    def name(self) -> str:
        """ "dL/d conv2.weight[3,0,1,2]"."""
        key = f".{self.key}" if self.key else ""
        place = f"[{','.join(map(str, self.index))}]" if self.index else ""
        return f"{'dL/d ' if self.gradient else ''}{self.node}{key}{place}"


@dataclass(frozen=True, eq=False)
class Window:
    """The part of one input that an output is made from."""

    source: str
    """Whose output it is."""
    first: Place
    """Where in the source its first element lies; below 0 it lies in the padding."""
    step: Place
    """From one element to the next, along every axis: the dilation."""
    values: Array
    """0 in the padding."""
    inside: Array
    """False in the padding."""
    coefficients: Array
    """What each is multiplied by; of a maximum 1 for the winner, else 0."""

    @property
    @QUIET
    def products(self) -> Array:
        """Like values; 0 in the padding."""
        return np.where(self.inside, self.values * self.coefficients, 0.0)


@dataclass(frozen=True, eq=False)
class Sum:
    """A layer that is linear: the sum of all products, and the offset."""

    windows: tuple[Window, ...]
    weighted: bool
    """Whether the coefficients are one filter, or one row, of the layer's weight."""
    offset: float
    offset_name: str | None
    """"bias"; None where there is none."""
    kind: Literal["sum"] = "sum"

    @property
    @QUIET
    def value(self) -> float:
        """The sum."""
        return float(sum(window.products.sum() for window in self.windows)) + self.offset

    @property
    @QUIET
    def magnitude(self) -> float:
        """What its rounding goes by."""
        return float(sum(np.abs(window.products).sum() for window in self.windows)) + abs(self.offset)


@dataclass(frozen=True, eq=False)
class Maximum:
    """The largest number of a window; the padding never wins."""

    window: Window
    ties: int
    """How many numbers are as large as the winner, itself among them; the first wins."""
    kind: Literal["maximum"] = "maximum"

    @property
    @QUIET
    def value(self) -> float:
        """The winner."""
        return float(self.window.products.sum())

    @property
    @QUIET
    def magnitude(self) -> float:
        """What its rounding goes by."""
        return abs(self.value)


@dataclass(frozen=True, eq=False)
class ByHand:
    """Steps of a pocket calculator."""

    source: str
    place: Place
    """Where x stands in the source."""
    steps: tuple[tuple[str, float], ...]
    slope: float
    """dy/dx: what the gradient is multiplied by on its way back."""
    gate: Literal["open", "closed"] | None
    """Whether a rectifier lets the gradient through."""
    condition: float
    """How many times as much as usual the engine may round."""
    kind: Literal["by_hand"] = "by_hand"

    @property
    @QUIET
    def value(self) -> float:
        """The last step."""
        return float(self.steps[-1][1])

    @property
    @QUIET
    def magnitude(self) -> float:
        """What its rounding goes by."""
        return max(abs(value) for _, value in self.steps) * self.condition


@dataclass(frozen=True, eq=False)
class LossAccount:
    """The loss of one sample: the sum of the terms / divisor. All arrays are like the output that it reads."""

    reads: str
    columns: dict[str, Array]
    formula: str
    terms: Array
    slope_formula: str
    slopes: Array
    """The gradient of the output, times divisor."""
    divisor: int
    classes: tuple[str, ...] = ()
    """The names of the output's elements, where they have any."""
    kind: Literal["loss"] = "loss"

    @property
    @QUIET
    def value(self) -> float:
        """The mean of the terms."""
        return float(self.terms.sum()) / self.divisor

    @property
    @QUIET
    def magnitude(self) -> float:
        """What its rounding goes by: a small loss is the difference of two large logits."""
        largest = max(float(np.abs(column).max()) for column in self.columns.values())
        return float(np.abs(self.terms).sum()) / self.divisor + largest


@dataclass(frozen=True, eq=False)
class Flow:
    """How a number acts on what the layer `reader` makes of it, the strongest first. All arrays have K entries."""

    reader: str
    type: str
    samples: Array
    places: Array
    """(K, ndim): where in the reader's output."""
    upstream: Array
    """dL/dy there."""
    slopes: Array
    """dy/d(this number)."""
    factor: str | None
    """Which tensor the slopes are elements of: "conv2.weight" for the inputs of a convolution, its input for the
    weight. None where they are no tensor's."""
    factor_places: Array | None
    """(K, its ndim)."""
    largest: float
    """The largest of |x| and all |y|, at least 1."""
    condition: float
    """How many times as much as usual the engine may round."""
    by_hand: tuple[tuple[str, float], ...] = ()
    """How the slope of a loss is found with a pocket calculator."""
    still: int = 0
    """At how many places more the number is used where the slope is 0."""

    @property
    @QUIET
    def products(self) -> Array:
        """(K,)"""
        return np.asarray(self.upstream * self.slopes)

    @property
    @QUIET
    def magnitude(self) -> float:
        """What its rounding goes by. Layers that saturate find their slope as 1 - y^2, y + alpha or Phi + x * Phi',
        where the two nearly cancel: however small it is, it has the rounding of x and y."""
        return float((np.abs(self.upstream) * (np.abs(self.slopes) + SATURATED * self.largest)).sum()) * self.condition


@dataclass(frozen=True, eq=False)
class Flows:
    """The chain rule: the sum of dL/dy * dy/d(this number) over all y that the number acts on."""

    flows: tuple[Flow, ...]
    kind: Literal["flows"] = "flows"

    @property
    @QUIET
    def value(self) -> float:
        """The sum."""
        return float(sum(flow.products.sum() for flow in self.flows))

    @property
    @QUIET
    def magnitude(self) -> float:
        """What its rounding goes by."""
        return sum(flow.magnitude for flow in self.flows)


Arithmetic = Sum | Maximum | ByHand | LossAccount | Flows


@dataclass(frozen=True, eq=False)
class Field:
    """What of the input image a number sees, (top, left, bottom, right), the last two exclusive."""

    box: Box
    """With what lies in the padding."""
    inside: Box
    """What is left of it inside the image."""
    size: Pair
    stride: Pair | None
    """From one output position to the next, in pixels; None where each sees everything, or has no position."""
    padding: Pair | None
    """How far the first output position reaches beyond the image."""
    touched: int
    """In how many pixels the gradient is not 0."""
    input: Array
    """(C, H, W), the sample as the network takes it."""
    gradient: Array
    """d(number)/d(input), like the input."""


@dataclass(frozen=True, eq=False)
class Trace:
    """One number and where it comes from: `value` is the sum of what `arithmetic` shows, `engine` what the engine
    computed, both in double precision. They are equal, unless one of them is not finite."""

    subject: Subject
    number: Number
    value: float
    engine: float
    arithmetic: Arithmetic | None
    """None where the receptive field was asked for."""
    field: Field | None = None

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity."""
        return () if math.isfinite(self.value) and math.isfinite(self.engine) else (self.number.name,)


def checked(subject: Subject, number: Number, arithmetic: Arithmetic, engine: float) -> Trace:
    """The trace. Raises AssertionError, which tells of a bug, if its sum is not the engine's number."""
    value = arithmetic.value
    if math.isfinite(value) and math.isfinite(engine):
        allowed = TOLERANCE * max(arithmetic.magnitude, np.finfo(np.float64).tiny)
        if abs(value - engine) > allowed:
            raise AssertionError(f"{number.name}: the terms add up to {value!r}, but the engine has {engine!r}")
    return Trace(subject, number, value, engine, arithmetic)
