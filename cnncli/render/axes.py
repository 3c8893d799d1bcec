"""Where the points of a chart lie, whatever it is drawn with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from sys import float_info
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views.charts import Chart, Series


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, even or by powers of ten."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, values: Sequence[float], *, log: bool = False) -> Axis:
        """From the least to the largest that can be shown, some room around a constant."""
        shown = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        low, high = (min(shown), max(shown)) if shown else (1.0, 1.0) if log else (0.0, 1.0)
        if not high / 2 > low / 2:  # halves, as in `place`
            room = abs(low) * 0.05 or 1.0
            low, high = (low / 2 or low, high * 2) if log else (low - room, high + room)
        return cls(max(low, -float_info.max), min(high, float_info.max), log)

    @classmethod
    def decades(cls, values: Sequence[float], least: int) -> Axis:
        """Between whole powers of ten around all values that can be shown, `least` of them apart at least."""
        logs = [math.log10(value) for value in values if value > 0 and math.isfinite(value)]
        first, last = float_info.min_10_exp, float_info.max_10_exp
        high = min(max(math.ceil(max(logs, default=0)), first + least), last)
        low = max(min(math.floor(min(logs, default=0)), high - least), first)
        return cls(10.0**low, 10.0**high, log=True)

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`; nan for what the axis cannot show."""
        if not math.isfinite(value) or (self.log and value <= 0):
            return math.nan
        low, high, value = (math.log10(each) if self.log else each / 2 for each in (self.low, self.high, value))
        return (value - low) / (high - low)  # of halves, whose difference does not overflow

    def ticks(self, most: int) -> list[float]:
        """At most `most` + 1 round numbers within: powers of ten on a log axis, if it has two of them."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            step = max(-(-(last - first) // most), 1)
            if last > first:
                return [10.0**power for power in range(first, last + 1, step)]
        return ticks(self.low, self.high, most)


@dataclass(frozen=True)
class Frame:
    """The two axes of a chart."""

    x: Axis
    y: Axis
    whole: tuple[bool, bool] = (False, False)
    """Whether there are nothing but whole numbers along x, and along y."""

    def x_ticks(self, most: int) -> list[float]:
        """At most `most` + 1 round numbers."""
        return [tick for tick in self.x.ticks(most) if tick.is_integer() or not self.whole[0]]

    def y_ticks(self, most: int) -> list[float]:
        """At most `most` + 1 round numbers."""
        return [tick for tick in self.y.ticks(most) if tick.is_integer() or not self.whole[1]]

    @classmethod
    def of(cls, chart: Chart) -> Frame:
        """So large that all there is to see lies within."""
        values = [value for series in chart.series for value in series.y] + [value for value, _ in chart.marks]
        if not chart.log_y and (chart.from_zero or chart.kind == "steps"):
            top = max((value for value in values if math.isfinite(value)), default=0.0)
            values = [*values, 0.0, *([] if top > 0 else [1.0])]
        if chart.log_y and chart.kind == "steps":
            values = [*values, min((value for value in values if value > 0), default=1.0) / 2]  # the least has a height
        across = [value for series in chart.series for value in series.x]
        whole = all(float(x).is_integer() for x in across if math.isfinite(x)), chart.kind == "steps"
        return cls(Axis.around(across), Axis.around(values, log=chart.log_y), whole)

    def runs(self, series: Series) -> list[list[tuple[float, float]]]:
        """The runs of neighbouring points that can be shown, as shares (right, up) of the axes."""
        runs: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(series.x, series.y, strict=True):
            point = self.x.place(x), self.y.place(y)
            if all(map(math.isfinite, point)):
                runs[-1].append(point)
            elif runs[-1]:
                runs.append([])
        return [run for run in runs if run]

    def points(self, series: Series) -> NDArray[np.float64]:
        """Those that can be shown, (n, 2), as shares (right, up) of the axes."""
        return np.array([point for run in self.runs(series) for point in run]).reshape(-1, 2)

    def bars(self, series: Series) -> list[tuple[float, float, float]]:
        """(left, right, top) of the steps that can be shown, as shares of the axes."""
        edges = [self.x.place(edge) for edge in series.x]
        tops = [self.y.place(value) for value in series.y]
        return [bar for bar in zip(edges[:-1], edges[1:], tops, strict=True) if all(map(math.isfinite, bar))]


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 round numbers, 1, 2 or 5 times a power of ten apart, within [low, high]."""
    distance = (high / 2 - low / 2) / most * 2  # the difference itself might overflow
    if not distance > 0 or not math.isfinite(distance):
        return [low]
    power = 10.0 ** math.floor(math.log10(distance))
    for step in (power, 2 * power, 5 * power, 10 * power):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first <= most:
            break
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def tick_text(value: float) -> str:
    """250, 0.001, 1e-5, 2e6."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:g}"
    mantissa, _, exponent = f"{value:.5e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def trace(run: Sequence[tuple[float, float]], width: int, height: int) -> NDArray[Any]:
    """The cells (right, down) of a width x height raster that a run of points passes through."""
    cells = [(right * (width - 1), (1 - up) * (height - 1)) for right, up in run]
    pieces = [np.array(cells[:1])]
    for start, end in pairwise(cells):
        steps = max(math.ceil(max(abs(end[0] - start[0]), abs(end[1] - start[1]))), 1)
        pieces.append(np.linspace(start, end, steps + 1))
    return np.asarray(np.rint(np.concatenate(pieces)), np.int64)


def entry(chart: Chart, series: Series) -> str:
    """What the legend calls it: its name, and of a line its last finite value."""
    last = next((value for value in reversed(series.y) if math.isfinite(value)), math.nan)
    return f"{series.name} {number(last)}" if chart.kind == "lines" else series.name
