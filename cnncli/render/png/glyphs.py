"""Small shapes for the points of a chart, where there are more classes than colours."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import ImageDraw

Color = tuple[int, ...]
Point = tuple[float, float]

CORNERS: tuple[tuple[int, float], ...] = ((4, 0.125), (3, 0.75), (4, 0.0), (3, 0.25), (3, 0.0), (3, 0.5))
"""Regular shapes: how many corners, and where the first is, in turns clockwise from the right."""
KINDS = len(CORNERS) + 3


def draw_glyph(
    draw: ImageDraw.ImageDraw, kind: int, center: Point, radius: float, color: Color, edge: Color | None = None
) -> None:
    """Shape number `kind` (0 is a disc; they repeat after KINDS), with an edge that sets it off from what it covers."""
    if edge is not None:
        _draw(draw, kind % KINDS, center, radius * 1.3, edge)
    _draw(draw, kind % KINDS, center, radius, color)


def _draw(draw: ImageDraw.ImageDraw, kind: int, center: Point, radius: float, color: Color) -> None:
    at = _around(center, radius * 1.2)
    if kind == 0:
        draw.circle(center, radius, fill=color)
    elif kind <= len(CORNERS):
        count, first = CORNERS[kind - 1]
        draw.polygon([at(first + corner / count) for corner in range(count)], fill=color)
    else:
        first = 0.0 if kind == KINDS - 1 else 0.125
        for turn in (first, first + 0.25):
            draw.line([at(turn), at(turn + 0.5)], fill=color, width=max(round(radius * 0.6), 1))


def _around(center: Point, radius: float) -> Callable[[float], Point]:
    """Points of a circle, by turns clockwise from the right."""

    def at(turns: float) -> Point:
        angle = 2 * math.pi * turns
        return center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle)

    return at
