"""Options that say what a layer's parameters are at the start: initialisers, or the numbers themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Protocol

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator

from cnncli.errors import ShapeError
from cnncli.layers.base import Params, Shape
from cnncli.layers.initializers import AnyInitializer, HeUniform, Initializer, Ones, Zeros

MAX_AXES = 4
"""A convolution's weight, (out, in, kh, kw), has the most axes."""


def _fits_a_vector(initializer: Initializer) -> Initializer:
    if initializer.needs_matrix:
        raise ValueError("this initialiser needs a matrix, and this parameter is a vector; try 'normal' or 'zeros'")
    return initializer


VectorInitializer = Annotated[AnyInitializer, AfterValidator(_fits_a_vector)]


class Init(BaseModel):
    """The initialisers of a layer's parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    weight: AnyInitializer = Field(default_factory=HeUniform, description="how the weight starts")
    bias: VectorInitializer = Field(default_factory=Zeros, description="how the bias starts")


class ScaleInit(Init):
    """The same for layers whose weight is one factor a channel."""

    weight: VectorInitializer = Field(default_factory=Ones, description="how the weight starts")


def _nested(numbers: object, place: str = "", depth: int = 1) -> tuple[Any, ...]:
    """Nested lists as nested tuples of floats. Raises ValueError that names the place of the first mistake."""
    where = f"at {place}: " if place else ""
    if not isinstance(numbers, list | tuple):
        raise ValueError(f"{where}expected a list of numbers, got {_shown(numbers)}")
    if not numbers:
        raise ValueError(f"{where}the list is empty; expected numbers")
    if not isinstance(numbers[0], list | tuple):
        return tuple(_finite(number, f"{place}[{i}]") for i, number in enumerate(numbers))
    if depth == MAX_AXES:
        raise ValueError(f"{where}lists are nested more than {MAX_AXES} deep")
    rows = tuple(_nested(row, f"{place}[{i}]", depth + 1) for i, row in enumerate(numbers))
    for i, row in enumerate(rows):
        if shape_of(row) != shape_of(rows[0]):
            raise ValueError(
                f"the list is not rectangular: {place}[0] has shape {shape_of(rows[0])}, "
                f"but {place}[{i}] has {shape_of(row)}"
            )
    return rows


def _finite(number: object, place: str) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"at {place}: expected a number, got {_shown(number)}")
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"at {place}: expected a finite number, got {_shown(number)}")
    return value


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, bool | int | float | str) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."


def _switch_or_numbers(value: object) -> bool | tuple[Any, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected true, false or a list of numbers, got {_shown(value)}")
    return _nested(value)


_Lists = list[float] | list[list[float]] | list[list[list[float]]] | list[list[list[list[float]]]]

Literals = Annotated[tuple[Any, ...], PlainValidator(_nested, json_schema_input_type=_Lists)]
"""The numbers of a parameter, written as rectangular nested lists; kept as nested tuples of floats."""

Bias = Annotated[bool | tuple[Any, ...], PlainValidator(_switch_or_numbers, json_schema_input_type=bool | list[float])]
"""Whether there is a bias, or its numbers."""


def shape_of(literals: tuple[Any, ...]) -> Shape:
    """The shape of nested tuples that are rectangular."""
    inner = literals[0]
    return (len(literals), *shape_of(inner)) if isinstance(inner, tuple) else (len(literals),)


class Parametric(Protocol):
    """A layer with a weight and perhaps a bias."""

    @property
    def weight(self) -> tuple[Any, ...] | None: ...
    @property
    def bias(self) -> bool | tuple[Any, ...] | None: ...
    @property
    def init_(self) -> Init: ...


def check_literals(layer: Parametric, shapes: Mapping[str, Shape]) -> None:
    """Raises ShapeError where numbers written as `weight` or `bias` do not have the parameter's shape.

    Leading axes of length 1 may be left out: a single kernel may be written as (kh, kw).
    """
    for key, literals in (("weight", layer.weight), ("bias", layer.bias)):
        if not isinstance(literals, tuple):
            continue
        given, expected = shape_of(literals), shapes[key]
        omitted = len(expected) - len(given)
        if omitted < 0 or (1,) * omitted + given != expected:
            raise ShapeError(f"{key} is written with shape {given}, but must have shape {expected}", option=key)


def is_drawn(layer: Parametric, key: str) -> bool:
    """Whether a new "weight" or "bias" holds random numbers: neither written out nor constant."""
    initializer: Initializer = getattr(layer.init_, key)
    return initializer.draws and not isinstance(getattr(layer, key), tuple)


def draw(layer: Parametric, shapes: Mapping[str, Shape], fan_in: int, fan_out: int, rng: np.random.Generator) -> Params:
    """New parameters, float64, in the order of `shapes`: numbers as written, or drawn; no bias where it is false.

    Raises ShapeError as `check_literals` does.
    """
    check_literals(layer, shapes)
    given = {"weight": layer.weight, "bias": layer.bias}
    initializers: dict[str, Initializer] = {"weight": layer.init_.weight, "bias": layer.init_.bias}
    params: Params = {}
    for key, shape in shapes.items():
        literals = given[key]
        if literals is False:
            continue
        if isinstance(literals, tuple):
            params[key] = np.array(literals, np.float64).reshape(shape)
        else:
            params[key] = np.asarray(initializers[key].sample(shape, fan_in, fan_out, rng), np.float64)
    return params
