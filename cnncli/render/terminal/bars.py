"""Vectors in the terminal: a bar for each number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from cnncli.render.colors import Limits
from cnncli.render.labels import INDEXED
from cnncli.render.terminal.raster import BARS, NEGATIVE_RAMP, PACK, RAMP, color_system, packed_color

Array = NDArray[Any]

BAR = 4
"""Columns for each number, at most."""


def indexed(values: Array, limits: Limits, room: int, *, reduced: bool = False) -> tuple[Group, int]:
    """A vector (F,) as bars, which are as broad as there is room for; below those of a short one the indices of the
    numbers, unless they are `reduced` to means. And how many columns they take, of which at least F must be there."""
    columns = max(min(BAR, room // len(values)), 1)
    bars = Bars(values.repeat(columns), limits)
    digits = len(str(len(values) - 1))
    fits = columns > digits or columns == digits == 1
    named = not reduced and 1 < len(values) <= INDEXED and fits
    line = "".join(str(index).ljust(columns) for index in range(len(values)))
    return Group(bars, *([Text(line, "dim")] if named else [])), len(values) * columns


@dataclass(frozen=True, eq=False)
class Bars:
    """A vector (F,) as one bar for each number: upwards in one line, and downwards in a second if any is negative."""

    values: Array
    limits: Limits

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        system = color_system(console, options)
        packed = (self.limits.colors(self.values).astype(np.int64) @ PACK).tolist()
        colors = [Style(color=packed_color(color, system)) for color in packed]
        eighths = self._eighths()
        for sign in (1, -1) if self.limits.colormap == "diverging" else (1,):
            for value, size, color in zip(self.values.tolist(), eighths, colors, strict=True):
                yield _bar(value, size, sign, color, plain=system is None)
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(len(self.values), len(self.values))

    def _eighths(self) -> list[int]:
        size = np.abs(self.limits.clip(self.values))
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
