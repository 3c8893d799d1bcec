"""Values to colours and back: viridis for what is never negative, blue - white 0 - red for what has a sign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Colors = NDArray[np.uint8]  # (..., 3)

NOT_FINITE = (255, 0, 255)
DEAD = (150, 150, 150)
SERIES = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 190, 135),
    (213, 110, 180),
    (240, 228, 66),
    (235, 95, 45),
    (120, 130, 255),
    (190, 190, 190),
    (140, 215, 90),
    (255, 170, 160),
    (175, 125, 75),
    (70, 120, 150),
)
"""Of the series of a chart, on a dark ground. The first ones are told apart by colour-blind people too (Okabe and Ito,
2008)."""

# Every fifth colour of viridis (Smith, van der Walt, Firing; CC0), which straight lines join to within 1/255.
_VIRIDIS = bytes.fromhex(
    "44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a3a538b38598c355e8d33638d31688e2e6d8e"
    "2c718e2a768e297b8e27808e25848e23898e218e8d20928c1f978b1e9c891fa18821a58524aa8328ae802eb37c35b7793dbc7446c06f50c46a"
    "5ac86465cb5e70cf577cd25089d54895d840a2da37b0dd2fbddf26cae11fd8e219e5e419f1e51dfde725"
)
# Lightness falls alike on both sides of the white.
_DIVERGING = bytes.fromhex("0a2458 1d4f9e 4a86cc 9dc3e8 ffffff f4b49c d9674f ab2330 570818")


def _table(anchors: bytes, levels: int) -> Colors:
    """(levels, 3) by straight lines between evenly spaced anchors."""
    colors = np.frombuffer(anchors, np.uint8).reshape(-1, 3)
    places = np.linspace(0, len(colors) - 1, levels)
    channels = [np.interp(places, np.arange(len(colors)), colors[:, channel]) for channel in range(3)]
    table = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    table[1:][(table[1:] == table[:-1]).all(axis=1), 1] += 1  # every level has a colour of its own: it can be read back
    return table


TABLES = {"viridis": _table(_VIRIDIS, 256), "diverging": _table(_DIVERGING, 255)}  # 255: zero has a level of its own


@dataclass(frozen=True)
class Limits:
    """What the ends of a colour map stand for; values beyond are drawn as the ends.

    "viridis" runs from vmin to vmax. "diverging" has 0 at its centre and the same colour strength for the same
    |value|; if vmin is not -vmax, the side that reaches less far is cut off.
    """

    vmin: float
    vmax: float
    colormap: str

    @classmethod
    def of(cls, low: float, high: float, *, signed: bool) -> Limits:
        """For values from `low` to `high`: +-max|x| if signed, else from 0."""
        low, high = (x if np.isfinite(x) else 0.0 for x in (low, high))
        reach = float(max(abs(low), abs(high)))
        return cls(-reach, reach, "diverging") if signed else cls(0.0, reach, "viridis")

    @property
    def reach(self) -> float:
        """The largest |value| that has a colour of its own."""
        return max(abs(self.vmin), abs(self.vmax))

    @property
    def table(self) -> Colors:
        """The colours of `levels`."""
        return TABLES[self.colormap]

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """The value that each colour stands for."""
        steps = np.arange(len(self.table)) / (len(self.table) - 1)
        if self.colormap == "diverging":
            return (2 * steps - 1) * self.reach
        return self.vmin + steps * (self.vmax - self.vmin)

    def clip(self, values: Array) -> NDArray[np.float64]:
        """Between the ends, which need not be numbers that the type of `values` has; of no meaning where the value is
        not finite."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.clip(np.nan_to_num(values.astype(np.float64)), self.vmin, self.vmax)

    def indices(self, values: Array) -> NDArray[np.uint8]:
        """The level of every value; of no meaning where the value is not finite."""
        clipped = self.clip(values)
        top = len(self.table) - 1
        if self.colormap == "diverging":
            steps = (clipped / (self.reach or 1.0) + 1) / 2
        else:
            steps = (clipped - self.vmin) / ((self.vmax - self.vmin) or 1.0)
        return np.rint(steps * top).astype(np.uint8)

    def colors(self, values: Array) -> Colors:
        """(..., 3) for values (...); NaN and infinity are magenta."""
        colors = self.table[self.indices(values)]
        finite = np.isfinite(values)
        if not finite.all():
            colors[~finite] = NOT_FINITE
        return colors

    def between(self, low: float, high: float, count: int) -> Colors:
        """So many colours (count, 3), of values evenly spaced from `low` to `high`."""
        return self.table[self.indices(np.linspace(low, high, count))]

    def clipped(self, values: Array) -> float:
        """The share of the finite values that lies beyond the limits."""
        finite = values[np.isfinite(values)].astype(np.float64)
        return float(np.mean((finite < self.vmin) | (finite > self.vmax))) if finite.size else 0.0

    def decode(self, colors: Array) -> NDArray[np.float64]:
        """Values (...) from colours (..., 3): the level of the colour, 0 for the grey of a dead map, else nan."""
        keys = _packed(colors)
        table = _packed(self.table)
        order = np.argsort(table, kind="stable")
        places = order[np.minimum(np.searchsorted(table[order], keys), len(table) - 1)]
        values = np.where(table[places] == keys, self.levels[places], np.nan)
        return np.where(keys == _packed(np.array(DEAD)), 0.0, values)


def _packed(colors: Array) -> Array:
    return np.asarray(colors.astype(np.int64) @ np.array([65536, 256, 1]))


def extent(values: Array) -> tuple[float, float]:
    """The least and the largest finite value; 0 and 0 if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def series_color(index: int) -> tuple[int, int, int]:
    """Of the series of this number; where there are more series than colours, they come again."""
    return SERIES[index % len(SERIES)]


def luminance(picture: Array) -> NDArray[np.float64]:
    """How bright a picture (H, W) or (H, W, 3) of bytes looks, 0 to 1 (Rec. 709)."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    return (picture.astype(np.float64) @ weights if picture.ndim == 3 else picture.astype(np.float64)) / 255
