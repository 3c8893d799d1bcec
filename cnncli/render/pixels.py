"""Tiles as colours: numbers by their limits, pictures as they look, and what lies over and around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.colors import DEAD, Colors, Limits, luminance

Array = NDArray[Any]
Box = tuple[int, int, int, int]
"""Rows and columns: (top, left, bottom, right), the last two exclusive."""

ALPHA = 0.5
"""How much of a picture is hidden by what lies over it."""
FRAME, LINING = (255, 214, 0), (0, 0, 0)
"""Yellow; black beside it keeps it apart from any colour."""


def colored(values: Array, limits: Limits, *, can_die: bool = False) -> Colors:
    """Maps (..., H, W) as (..., H, W, 3). Of those that `can_die`, as activations do, the ones that are all zero are
    grey."""
    colors = limits.colors(values)
    if can_die:
        colors[~values.any(axis=(-2, -1))] = DEAD
    return colors


def as_colors(picture: Array) -> Colors:
    """A picture of bytes (H, W) or (H, W, 3) as (H, W, 3)."""
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def overlaid(picture: Array, over: Array, limits: Limits) -> Colors:
    """The picture (H, W) or (H, W, 3) in grey, and half transparent over it the smoothed numbers: (H, W, 3)."""
    grey = 255 * luminance(picture)[..., None]
    colors = colored(smooth(over, *picture.shape[:2]), limits)
    return np.rint((1 - ALPHA) * grey + ALPHA * colors).astype(np.uint8)


def reduction(shape: tuple[int, ...], height: int, width: int) -> int:
    """The least integer by which (..., H, W) must be divided to fit into height x width."""
    return max(-(-shape[-2] // height), -(-shape[-1] // width), 1)


def reduce(values: Array, factor: int) -> Array:
    """Numbers (..., H, W), or a picture of bytes, to the means of factor x factor blocks, those at the edges being
    smaller; NaN spreads, bytes stay bytes."""
    if factor == 1:
        return values
    sums = values.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        for axis in _sides(values):
            starts = np.arange(0, values.shape[axis], factor)
            sizes = np.diff(np.append(starts, values.shape[axis]))
            means = np.add.reduceat(sums / factor, starts, axis=axis).swapaxes(axis, -1) * (factor / sizes)
            sums = means.swapaxes(axis, -1)
    return np.rint(sums).astype(np.uint8) if values.dtype == np.uint8 else sums


def enlarge(values: Array, factor: int) -> Array:
    """Numbers (..., H, W), or a picture of bytes, every pixel becoming factor x factor."""
    vertical, horizontal = _sides(values)
    return values.repeat(factor, axis=vertical).repeat(factor, axis=horizontal)


def _sides(values: Array) -> tuple[int, int]:
    """The axes of height and width: pictures, which are bytes, have their colours behind these."""
    return (0, 1) if values.dtype == np.uint8 else (-2, -1)


def smooth(values: Array, height: int, width: int) -> NDArray[np.float64]:
    """(h, w) enlarged to (height, width), bilinear between the centres of its values, constant beyond them."""
    result = values.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        for axis, size in enumerate((height, width)):
            have = values.shape[axis]
            places = np.clip((np.arange(size) + 0.5) * have / size - 0.5, 0, have - 1)
            before = places.astype(int)
            after = np.minimum(before + 1, have - 1)
            share = (places - before).reshape((-1, 1) if axis == 0 else (1, -1))
            # Values that are not finite must not spread to where their share is 0.
            after = np.where(share.ravel() > 0, after, before)
            result = (1 - share) * result.take(before, axis=axis) + share * result.take(after, axis=axis)
    return result


def framed(colors: Colors, boxes: Sequence[Box], *, lined: bool = False) -> Colors:
    """(H, W, 3) with a yellow line around each box; `lined` with a black one inside it, on the box's own pixels."""
    result = colors.copy() if boxes else colors
    if lined:
        for box in boxes:
            _draw(result, around(box, colors.shape, 0), LINING)
    for box in boxes:
        _draw(result, around(box, colors.shape), FRAME)
    return result


def _draw(colors: Colors, box: Box, color: tuple[int, int, int]) -> None:
    for edge in edges(box):
        colors[edge] = color


def around(box: Box, shape: tuple[int, ...], by: int = 1) -> Box:
    """So many pixels larger on every side, as far as there is room in (height, width, ...)."""
    top, left, bottom, right = box
    return max(top - by, 0), max(left - by, 0), min(bottom + by, shape[0]), min(right + by, shape[1])


def edges(box: Box) -> tuple[tuple[slice, slice], ...]:
    """The outermost rows of a box, then its outermost columns."""
    top, left, bottom, right = box
    rows, columns = slice(top, bottom), slice(left, right)
    return (
        (slice(top, top + 1), columns),
        (slice(bottom - 1, bottom), columns),
        (rows, slice(left, left + 1)),
        (rows, slice(right - 1, right)),
    )


def magnified(boxes: Sequence[Box], factor: int) -> list[Box]:
    """Where they are once every pixel has become factor x factor."""
    return [tuple(edge * factor for edge in box) for box in boxes]  # type: ignore[misc]


def diminished(boxes: Sequence[Box], factor: int) -> list[Box]:
    """Where they are once factor x factor pixels have become one; none vanishes."""
    return [
        (top // factor, left // factor, -(-bottom // factor), -(-right // factor)) for top, left, bottom, right in boxes
    ]
