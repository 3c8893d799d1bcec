"""Maps drawn with characters: half blocks in colour, a ramp of characters without.

A character cell holds two pixels, one above the other, so a picture of (H, W) pixels takes ceil(H / 2) lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from cnncli.render.colors import TABLES, Colors, Limits, luminance
from cnncli.render.pixels import (
    Box,
    around,
    as_colors,
    colored,
    edges,
    framed,
    overlaid,
    reduced_picture,
    reduction,
    smooth,
)
from cnncli.render.text import bar

Array = NDArray[Any]

RAMP = " .:-=+*#%@"
NEGATIVE_RAMP = " ivcxsoXNM"
"""Letters, where positive values have signs."""
BARS = " ▁▂▃▄▅▆▇█"

SIXTEEN = ("standard", "windows")
"""Colour systems of sixteen colours. The nearest of these to a colour of a map need not lie between those of its
neighbours; so each map has a ladder of its own."""
LADDERS = {"viridis": (5, 4, 6, 2, 10, 11), "diverging": (4, 12, 14, 15, 11, 9, 1)}
"""From the lowest value to the highest: purple, blue, cyan, green, yellow; and blue, cyan, white, yellow, red."""
PACK = np.array([65536, 256, 1])
"""Times a colour: one number."""


def color_system(console: Console, options: ConsoleOptions) -> str | None:
    """What pictures may be coloured with, None if they must be drawn with plain characters."""
    return None if console.no_color or options.ascii_only else console.color_system


@dataclass(frozen=True, eq=False)
class Raster:
    """A picture for the terminal: colours (H, W, 3), and a character for every two lines of them."""

    colors: Colors
    characters: NDArray[np.str_]  # (ceil(H / 2), W)

    @classmethod
    def of_map(cls, values: Array, limits: Limits) -> Raster:
        """A map (H, W)."""
        return cls(colored(values, limits), _characters(reduce_pairs(values), limits))

    @classmethod
    def of_picture(cls, picture: Array) -> Raster:
        """A picture of bytes, (H, W) or (H, W, 3)."""
        characters = _characters(reduce_pairs(luminance(picture)), Limits(0.0, 1.0, "viridis"))
        return cls(as_colors(picture), characters)

    @classmethod
    def of_overlay(cls, picture: Array, over: Array, limits: Limits) -> Raster:
        """A picture with the smoothed numbers (h, w) over it; without colour, these numbers alone."""
        numbers = smooth(over, *picture.shape[:2])
        return cls(overlaid(picture, over, limits), _characters(reduce_pairs(numbers), limits))

    def framed(self, boxes: Sequence[Box]) -> Raster:
        """With lines around boxes, in pixels."""
        characters = self.characters.copy()
        for box in boxes:
            top, left, bottom, right = around(box, self.colors.shape)
            above, below, *sides = edges((top // 2, left, (bottom + 1) // 2, right))
            for marks, places in (("_", (above, below)), ("|", sides)):
                for place in places:
                    characters[place] = marks
        return Raster(framed(self.colors, boxes), characters)

    def lines(self, system: str | None) -> list[list[Segment]]:
        """With half blocks in the colours of this system, or with plain characters."""
        if system is None:
            return [[Segment("".join(row))] for row in self.characters.tolist()]
        packed = self.colors.astype(np.int64) @ PACK
        lines = []
        for top in range(0, len(packed), 2):
            upper = packed[top].tolist()
            lower = packed[top + 1].tolist() if top + 1 < len(packed) else [None] * len(upper)
            pairs = groupby(zip(upper, lower, strict=True))
            lines.append([Segment("▀" * sum(1 for _ in run), _style(*pair, system)) for pair, run in pairs])
        return lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines(color_system(console, options)):
            yield from line
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = self.colors.shape[1]
        return Measurement(width, width)


def reduce_pairs(values: Array) -> Array:
    """(H, W) to (ceil(H / 2), W): the means of every two lines."""
    padded = values if len(values) % 2 == 0 else np.concatenate([values, values[-1:]])
    with np.errstate(invalid="ignore", over="ignore"):
        return padded[::2] * 0.5 + padded[1::2] * 0.5


def _characters(values: Array, limits: Limits) -> NDArray[np.str_]:
    """One character a value: RAMP, NEGATIVE_RAMP below zero, ? where it is not finite."""
    ramp, negative = np.array(list(RAMP)), np.array(list(NEGATIVE_RAMP))
    size = np.abs(np.clip(np.nan_to_num(values), limits.vmin, limits.vmax))
    low = limits.vmin if limits.colormap == "viridis" else 0.0
    steps = np.rint((size - low) / ((limits.reach - low) or 1.0) * (len(RAMP) - 1)).astype(int)
    marks = np.where((values < 0) & (limits.colormap == "diverging"), negative[steps], ramp[steps])
    return np.where(np.isfinite(values), marks, "?")


@lru_cache(maxsize=1 << 16)
def _style(upper: int, lower: int | None, system: str) -> Style:
    """A style keeps the codes that it was first sent with, so every colour system has its own."""
    foreground, background = (None if color is None else _color(color, system) for color in (upper, lower))
    return Style.from_color(foreground, background)


@lru_cache(maxsize=1 << 12)
def _color(packed: int, system: str | None) -> Color:
    if system in SIXTEEN and packed in _sixteen():
        return Color.from_ansi(_sixteen()[packed])
    return Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)


@lru_cache(maxsize=1)
def _sixteen() -> dict[int, int]:
    """The number of the colour that stands for each level of a colour map."""
    numbers: dict[int, int] = {}
    for name, ladder in LADDERS.items():
        packed = (TABLES[name].astype(np.int64) @ PACK).tolist()
        numbers |= {
            color: ladder[round(place / (len(packed) - 1) * (len(ladder) - 1))] for place, color in enumerate(packed)
        }
    return numbers


@dataclass(frozen=True, eq=False)
class Bars:
    """A vector (F,) as one bar for each number: upwards in one line, and downwards in a second if any is negative."""

    values: Array
    limits: Limits

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        system = color_system(console, options)
        packed = (self.limits.colors(self.values).astype(np.int64) @ PACK).tolist()
        colors = [Style(color=_color(color, system)) for color in packed]
        eighths = self._eighths()
        for sign in (1, -1) if self.limits.colormap == "diverging" else (1,):
            for value, size, color in zip(self.values.tolist(), eighths, colors, strict=True):
                yield _bar(value, size, sign, color, plain=system is None)
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(len(self.values), len(self.values))

    def _eighths(self) -> list[int]:
        size = np.abs(np.clip(np.nan_to_num(self.values), self.limits.vmin, self.limits.vmax))
        return np.ceil(size / (self.limits.reach or 1.0) * 8 - 1e-9).astype(int).tolist()  # type: ignore[no-any-return]


def _bar(value: float, size: int, sign: int, color: Style, *, plain: bool) -> Segment:
    if not np.isfinite(value):
        return Segment("?" if sign > 0 else " ", color)
    if value * sign <= 0:
        return Segment(" ")
    if plain:
        ramp = RAMP if sign > 0 else NEGATIVE_RAMP
        return Segment(ramp[min(size + 1, len(ramp) - 1)])
    # A bar that hangs down is the rest of the cell, standing on the ground, in reverse.
    return Segment(BARS[size], color) if sign > 0 else Segment(BARS[8 - size], color + Style(reverse=True))


@dataclass(frozen=True, eq=False)
class Strip:
    """Rasters side by side, a blank column between them."""

    rasters: tuple[Raster, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        system = color_system(console, options)
        columns = [(raster.colors.shape[1], raster.lines(system)) for raster in self.rasters]
        for line in range(max(len(lines) for _, lines in columns)):
            for place, (width, lines) in enumerate(columns):
                yield from [Segment(" ")] if place else []
                yield from lines[line] if line < len(lines) else [Segment(" " * width)]
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = sum(raster.colors.shape[1] + 1 for raster in self.rasters) - 1
        return Measurement(width, width)


@dataclass(frozen=True)
class ColorBar:
    """What the colours, or the characters, stand for: min, 0 if it lies between, max."""

    limits: Limits
    labels: tuple[str, ...]
    """The texts of the ends, and of the zero between them where there is one."""
    cells: int = 16

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        low, high = self.limits.vmin, self.limits.vmax
        parts: Iterable[tuple[float, float]] = [(low, 0.0), (0.0, high)] if len(self.labels) == 3 else [(low, high)]
        yield Segment(self.labels[0] + " ")
        for (start, end), label in zip(parts, self.labels[1:], strict=True):
            ramp = np.linspace(start, end, self.cells // len(self.labels[1:]))
            colors = Raster.of_map(np.stack([ramp, ramp]), self.limits)
            yield from colors.lines(color_system(console, options))[0]
            yield Segment(f" {label} ")
        yield Segment.line()


@dataclass(frozen=True)
class Bar:
    """A bar filling `share` of `cells` columns."""

    share: float
    cells: int
    color: str = "cyan"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = bar(self.share, self.cells, ascii_only=options.ascii_only)
        yield Segment(text.ljust(self.cells), Style(color=self.color))
        yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.cells, self.cells)


def thumbnail(picture: Array, size: int) -> Raster:
    """A picture of bytes, (H, W) or (H, W, 3), reduced to at most `size` pixels a side."""
    return Raster.of_picture(reduced_picture(picture, reduction(picture.shape[:2], size, size)))
