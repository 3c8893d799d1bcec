"""Maps drawn with characters: half blocks in colour, a ramp of characters without.

In colour a cell holds two pixels, one above the other, so a picture of (H, W) pixels takes ceil(H / 2) lines. Without,
every row of a map has lines of its own, unless it is a large one: there two rows share a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
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
    enlarge,
    framed,
    overlaid,
    reduce,
    reduction,
    smooth,
)
from cnncli.render.text import bar

Array = NDArray[Any]

RAMP = " .:-=+*#%@"
NEGATIVE_RAMP = " ivcxsoXNM"
"""Letters, where positive values have signs."""
BARS = " ▁▂▃▄▅▆▇█"

OWN_LINES = 8
"""Up to so many rows that are not enlarged have a line each where there is no colour."""
SHARED = "two rows share a line, as their means"

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


def scale_legend(*, plain: bool) -> str:
    """What the colours of maps mean, or their characters."""
    if plain:
        return f"'{RAMP}' from 0 up, '{NEGATIVE_RAMP[::-1]}' below"
    return "blue - white 0 red +; never negative: violet 0 to yellow"


@dataclass(frozen=True, eq=False)
class Raster:
    """A picture for the terminal: colours (H, W, 3), and characters for where there is no colour."""

    colors: Colors
    characters: NDArray[np.str_]  # (lines, W)
    line: Fraction
    """How many of the H pixels a line of characters stands for."""

    @classmethod
    def of_map(cls, values: Array, limits: Limits, factor: int = 1, *, can_die: bool = False) -> Raster:
        """A map (h, w), every value as factor x factor pixels; grey where it is dead, if it is one that `can_die`."""
        colors = enlarge(colored(values, limits, can_die=can_die), factor)
        return cls(colors, *_in_characters(values, limits, factor))

    @classmethod
    def of_picture(cls, picture: Array, factor: int = 1) -> Raster:
        """A picture of bytes, (h, w) or (h, w, 3)."""
        return cls(
            enlarge(as_colors(picture), factor),
            *_in_characters(luminance(picture), Limits(0.0, 1.0, "viridis"), factor),
        )

    @classmethod
    def of_overlay(cls, picture: Array, over: Array, limits: Limits, factor: int = 1) -> Raster:
        """A picture with the smoothed numbers (h, w) over it; without colour, these numbers alone."""
        numbers = smooth(over, *picture.shape[:2])
        return cls(overlaid(enlarge(picture, factor), over, limits), *_in_characters(numbers, limits, factor))

    def framed(self, boxes: Sequence[Box]) -> Raster:
        """With lines around boxes, in pixels."""
        characters = self.characters.copy()
        for box in boxes:
            top, left, bottom, right = around(box, self.colors.shape)
            above, below, *sides = edges((int(top // self.line), left, int(-(-bottom // self.line)), right))
            for marks, places in (("_", (above, below)), ("|", sides)):
                for place in places:
                    characters[place] = marks
        return Raster(framed(self.colors, boxes), characters, self.line)

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


def shares_lines(rows: int, factor: int) -> bool:
    """Whether without colour a line is for two rows of a map; every value of it is factor x factor pixels."""
    return factor == 1 and rows > OWN_LINES


def _in_characters(values: Array, limits: Limits, factor: int) -> tuple[NDArray[np.str_], Fraction]:
    """The characters of a map (h, w), `factor` of them for every value and half as many lines; and how many pixels a
    line stands for."""
    if shares_lines(len(values), factor):
        return _characters(_pairs(values), limits), Fraction(2)
    lines = -(-factor // 2)
    return _characters(values, limits).repeat(lines, axis=0).repeat(factor, axis=1), Fraction(factor, lines)


def _pairs(values: Array) -> Array:
    """(H, W) to (ceil(H / 2), W): the means of every two rows."""
    padded = values if len(values) % 2 == 0 else np.concatenate([values, values[-1:]])
    with np.errstate(invalid="ignore", over="ignore"):
        return padded[::2] * 0.5 + padded[1::2] * 0.5


def _characters(values: Array, limits: Limits) -> NDArray[np.str_]:
    """One character a value: RAMP, NEGATIVE_RAMP below zero, ? where it is not finite."""
    ramp, negative = np.array(list(RAMP)), np.array(list(NEGATIVE_RAMP))
    size = np.abs(limits.clip(values))
    low = limits.vmin if limits.colormap == "viridis" else 0.0
    steps = np.rint((size - low) / ((limits.reach - low) or 1.0) * (len(RAMP) - 1)).astype(int)
    marks = np.where((values < 0) & (limits.colormap == "diverging"), negative[steps], ramp[steps])
    return np.where(np.isfinite(values), marks, "?")


@lru_cache(maxsize=1 << 16)
def _style(upper: int, lower: int | None, system: str) -> Style:
    """A style keeps the codes that it was first sent with, so every colour system has its own."""
    foreground, background = (None if color is None else packed_color(color, system) for color in (upper, lower))
    return Style.from_color(foreground, background)


@lru_cache(maxsize=1 << 12)
def packed_color(packed: int, system: str | None) -> Color:
    """As this system has it."""
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
    return Raster.of_picture(reduce(picture, reduction(picture.shape[:2], size, size)))
