"""Which number is meant: the given part of its place, and the largest number that fits it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.inspection.trace.result import Place, Shape

Array = NDArray[Any]

LARGEST = "largest"
"""What stands for the place of the largest number."""


def in_value(name: str, values: Array, channel: int | None, at: Place | None) -> Place:
    """The element of a value (*shape) at this channel and position; where they are not given, the largest number.

    Raises UsageError with the valid ranges.
    """
    shape = values.shape
    if len(shape) == 1:
        if channel is not None and at is not None:
            raise UsageError(f"--channel and --at: {name} is flat, {shape[0]} numbers; give one of the two")
        at = at if channel is None else (channel,)
        _require(f"--at {text(at)}" if channel is None else f"--channel {channel}", name, at, shape)
        return _largest(values, [None] if at is None else [at[0]])
    if channel is None and shape[0] == 1:
        channel = 0
    _require(f"--channel {channel}", name, None if channel is None else (channel,), shape[:1], "channels")
    _require(f"--at {text(at)}", name, at, shape[1:], "positions")
    return _largest(values, [channel, *(at if at is not None else [None] * (len(shape) - 1))])


def in_parameter(name: str, option: str, gradient: Array, given: str) -> Place:
    """The element of a parameter with this gradient: "3,0,1,2", or that with the largest gradient.

    Raises UsageError with the valid ranges.
    """
    if given == LARGEST:
        return _largest(gradient, [None] * gradient.ndim)
    place = parse(option, given, or_else=f", or {LARGEST}")
    _require(f"{option} {given}", name, place, gradient.shape)
    return place


def parse(option: str, given: str, or_else: str = "") -> Place:
    """ "4,5" to (4, 5). Raises UsageError, which says what else the option takes."""
    try:
        return tuple(int(part) for part in given.split(","))
    except ValueError:
        raise UsageError(
            f"{option} {given}: expected whole numbers with commas between them, as 4,5{or_else}"
        ) from None


def text(place: Place | None) -> str:
    """(4, 5) to 4,5."""
    return ",".join(map(str, place or ()))


def _require(option: str, name: str, place: Place | None, sizes: Shape, what: str = "numbers") -> None:
    if place is None:
        return
    if len(place) != len(sizes) or not all(0 <= i < size for i, size in zip(place, sizes, strict=True)):
        first, last = text((0,) * len(sizes)), text(tuple(size - 1 for size in sizes))
        raise UsageError(f"{option}: {name} has the {what} {first} to {last}")


def _largest(values: Array, given: list[int | None]) -> Place:
    """The place of the largest number, or the first NaN, among those with the given indices."""
    kept = values[tuple(slice(None) if i is None else slice(i, i + 1) for i in given)]
    found = np.unravel_index(int(np.argmax(kept)), kept.shape) if math.prod(kept.shape) else ()
    return tuple(int(k) if i is None else i for k, i in zip(found, given, strict=True))
