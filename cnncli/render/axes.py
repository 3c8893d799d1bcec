"""Where the points of a chart lie, whatever it is drawn with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cnncli.inspection.views import Chart, Series

COLORS = ((86, 180, 233), (230, 159, 0), (0, 158, 115), (204, 121, 167))
"""Of the series, told apart by colour-blind people too (Okabe and Ito, 2008)."""


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 round numbers, 1, 2 or 5 times a power of ten apart, within [low, high]."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (power, 2 * power, 5 * power, 10 * power):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first <= most:
            break
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def value_range(chart: Chart) -> tuple[float, float]:
    """The least and the largest finite value of all series, some room around a constant."""
    values = np.concatenate([np.array(series.values, np.float64) for series in chart.series])
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    room = abs(low) * 0.05 or 1.0
    return (low, high) if high > low else (low - room, high + room)


def epoch_range(chart: Chart) -> tuple[float, float]:
    """The first and the last epoch."""
    epochs = [epoch for epoch in chart.epochs if math.isfinite(epoch)] or [0.0]
    return min(epochs), max(epochs)


def place(value: float, low: float, high: float) -> float:
    """0 at `low`, 1 at `high`; the middle if they are equal."""
    return (value - low) / (high - low) if high > low else 0.5


def points(chart: Chart, series: Series) -> list[list[tuple[float, float]]]:
    """The runs of neighbouring finite points, as shares (right, up) of the chart's ranges."""
    runs: list[list[tuple[float, float]]] = [[]]
    for epoch, value in zip(chart.epochs, series.values, strict=True):
        if math.isfinite(epoch) and math.isfinite(value):
            runs[-1].append((place(epoch, *epoch_range(chart)), place(value, *value_range(chart))))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def trace(run: Sequence[tuple[float, float]], width: int, height: int) -> NDArray[Any]:
    """The cells (right, down) of a width x height raster that a run of points passes through."""
    cells = [(right * (width - 1), (1 - up) * (height - 1)) for right, up in run]
    pieces = [np.array(cells[:1])]
    for start, end in pairwise(cells):
        steps = max(math.ceil(max(abs(end[0] - start[0]), abs(end[1] - start[1]))), 1)
        pieces.append(np.linspace(start, end, steps + 1))
    return np.asarray(np.rint(np.concatenate(pieces)), np.int64)


def last_value(series: Series) -> float:
    """The last finite value, nan if there is none."""
    return next((value for value in reversed(series.values) if math.isfinite(value)), math.nan)
