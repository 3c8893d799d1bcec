"""What is told of tensors: names of axes, sides and turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import Function, is_input

Array = NDArray[Any]

NAMED = 4
"""So many places are listed before the rest are only counted."""
SIDES = (("to the right", (0, 1)), ("to the left", (0, -1)), ("down", (1, 0)), ("up", (-1, 0)))
"""Where one position further in (row, column) is."""


def axes_of(examination: Examination[Function]) -> tuple[str, ...]:
    """A name for every axis of the tensor."""
    gradient, name = examination.gradient, examination.name
    if is_input(name):
        return {
            2: ("sample", "feature"),
            3: ("sample", "channel", "position"),
            4: ("sample", "channel", "row", "column"),
        }.get(gradient.ndim, ("sample",) + ("place",) * (gradient.ndim - 1))
    if gradient.ndim == 4:
        return ("filter", "input channel", "row", "column")
    if gradient.ndim == 2:
        return ("output", "input")
    return ("filter" if _is_convolution(examination) else "channel",)


def _is_convolution(examination: Examination[Function]) -> bool:
    """Whether a vector belongs to kernels."""
    return any(array.ndim == 4 for array in examination.function.params_of(examination.name).values())


def turned(array: Array, name: str) -> Iterator[tuple[str, Array]]:
    """A tensor of that name, or its gradient, flipped and transposed: in words, and the array. Each undoes itself."""
    part, whole, axes = "kernel", "weight", "outputs and inputs"
    if is_input(name):
        part, whole, axes = "picture", "input", "samples and channels"
    if array.ndim == 4:
        yield f"the {part} is flipped, top to bottom and left to right", array[..., ::-1, ::-1]
        yield f"the {part} is flipped top to bottom", array[..., ::-1, :]
        yield f"the {part} is flipped left to right", array[..., ::-1]
        if array.shape[2] == array.shape[3]:
            yield f"the {part} is transposed: height and width are exchanged", array.swapaxes(2, 3)
    if array.ndim >= 2 and array.shape[0] == array.shape[1]:
        yield f"the {whole} is transposed: {axes} are exchanged", array.swapaxes(0, 1)


def listed(places: Sequence[int]) -> str:
    """3; 3 and 5; 0, 1, 2, 3 and 12 more."""
    first, rest = [str(place) for place in places[:NAMED]], len(places) - NAMED
    if rest > 0:
        return f"{', '.join(first)} and {rest} more"
    return first[0] if len(first) == 1 else f"{', '.join(first[:-1])} and {first[-1]}"


def pair(sizes: tuple[int, int]) -> str:
    """2, or 1x2 where height and width differ."""
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}x{sizes[1]}"
