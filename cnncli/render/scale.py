"""Which values share one colour scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.render.colors import Limits, extent
from cnncli.render.text import number, percent

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board, Row, Sheet

Array = NDArray[Any]

MODES = ("layer", "map", "net")
NOTHING = Limits(0.0, 0.0, "viridis")
"""Of a picture, which needs no scale."""


@dataclass(frozen=True)
class Scale:
    """Which tiles share their limits, and where these come from.

    "layer": the tiles of a row, the whole tensor's extent; "net": all rows of a board that show the same; "map":
    each tile for itself; "fixed": all, the limits given; "percentile": the tiles of a row, what so many percent of
    the whole tensor's |x| do not exceed.
    """

    mode: str = "layer"
    fixed: tuple[float, float] = (0.0, 0.0)
    percentile: float = 100.0

    @classmethod
    def parse(cls, text: str) -> Scale:
        """From "layer", "map", "net", "fixed:LO,HI" or "percentile:P". Raises UsageError."""
        if text in MODES:
            return cls(text)
        word, _, rest = text.partition(":")
        try:
            numbers = tuple(map(float, rest.split(",")))
        except ValueError:
            numbers = ()
        match word, numbers:
            case "fixed", (low, high) if low < high and np.isfinite(high - low):
                return cls("fixed", (low, high))
            case "percentile", (share,) if 0 < share <= 100:
                return cls("percentile", percentile=share)
        raise UsageError(
            f"--scale {text}: expected layer, map, net, fixed:LO,HI with numbers LO < HI, as in fixed:-1,1, "
            "or percentile:P with 0 < P <= 100, as in percentile:99"
        )

    def __str__(self) -> str:
        if self.mode == "fixed":
            return "fixed:" + ",".join(f"{end:g}" for end in self.fixed)
        return f"percentile:{self.percentile:g}" if self.mode == "percentile" else self.mode

    def limits(self, board: Board, row: Row) -> tuple[Limits, ...]:
        """The limits of every tile of a row."""
        if self.mode == "map":
            return tuple(
                NOTHING if tile.numbers is None else Limits.of(*extent(tile.numbers), signed=row.signed)
                for tile in row.tiles
            )
        common = self._common(board, row) if has_numbers(row) else NOTHING
        return (common,) * len(row.tiles)

    def _common(self, board: Board, row: Row) -> Limits:
        if self.mode == "fixed":
            low, high = self.fixed
            return Limits(low, high, "diverging" if low < 0 else "viridis")
        if self.mode == "percentile":
            most = _percentile(_whole(row), self.percentile)
            return Limits.of(-most, most, signed=row.signed)
        rows = [row]
        if self.mode == "net":
            every = (other for sheet in board.sheets for other in sheet.rows)
            rows = [other for other in every if other.what == row.what and has_numbers(other)]
        ends = [end for other in rows for end in _ends(other) if np.isfinite(end)]
        signed = any(other.signed for other in rows)
        return Limits.of(min(ends, default=0.0), max(ends, default=0.0), signed=signed)

    def describe(self, row: Row, limits: Sequence[Limits]) -> str:
        """The scale as it is printed beside a row: its name, its limits, and what they cut off."""
        if self.mode == "map":
            return f"map, each {'+-max|x|' if row.signed else '0 to its max'}"
        low, high = number(limits[0].vmin), number(limits[0].vmax)
        clipped = 0.0
        if self.mode == "percentile":
            clipped = limits[0].clipped(_whole(row))
        elif self.mode == "fixed":
            clipped = limits[0].clipped(_drawn(row))
        beyond = f", {percent(clipped)} beyond" if clipped else ""
        names = {"percentile": f"percentile {self.percentile:g}", "layer": row.scale_of}
        name = names.get(self.mode, self.mode)
        return f"{name} [{low}, {high}]{beyond}"


@dataclass(frozen=True, eq=False)
class ScaledRow:
    """A row with the limits of each of its tiles; or some of its tiles, all of which its limits are of."""

    row: Row
    limits: tuple[Limits, ...]
    scale: str = ""
    """Its description; empty where there are only pictures."""
    each: bool = False
    """Every tile has limits of its own."""

    @property
    def widest(self) -> Limits:
        """Those that a colour bar for all is drawn with."""
        return max(self.limits, key=lambda limits: limits.reach)

    def part(self, start: int, stop: int) -> ScaledRow:
        """Some of the tiles."""
        few = replace(self.row, tiles=self.row.tiles[start:stop])
        return replace(self, row=few, limits=self.limits[start:stop])


def scaled(board: Board, sheet: Sheet, scale: Scale) -> list[ScaledRow]:
    """The rows of a sheet of the board."""
    rows = []
    for row in sheet.rows:
        limits = scale.limits(board, row)
        described = scale.describe(row, limits) if has_numbers(row) else ""
        rows.append(ScaledRow(row, limits, described, scale.mode == "map"))
    return rows


def share_a_bar(rows: Sequence[ScaledRow]) -> bool:
    """Whether one colour bar is enough for all of several rows."""
    bars = {(row.widest, row.scale) for row in rows if row.scale}
    return len(bars) == 1 and len(rows) > 1


def has_numbers(row: Row) -> bool:
    """Whether there is anything that a scale colours."""
    return any(tile.numbers is not None for tile in row.tiles)


def _drawn(row: Row) -> Array:
    """All numbers of the tiles, one after the other."""
    return np.concatenate([tile.numbers.ravel() for tile in row.tiles if tile.numbers is not None])


def _whole(row: Row) -> Array:
    """All numbers of the tensor, as far as they are known."""
    return _drawn(row) if row.array is None else row.array


def _ends(row: Row) -> tuple[float, float]:
    return (row.statistics.min, row.statistics.max) if row.statistics else extent(_drawn(row))


def _percentile(values: Array, share: float) -> float:
    """What `share` percent of |x| do not exceed; the largest where that is 0: not everything is cut off."""
    sizes = np.abs(values[np.isfinite(values)].astype(np.float64))
    if not sizes.size:
        return 0.0
    return float(np.percentile(sizes, share)) or float(sizes.max())
