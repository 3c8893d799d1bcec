"""The inside of a chart in the terminal: a character and the number of a series for every cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from cnncli.render.axes import Frame, trace
from cnncli.render.colors import SERIES, series_color
from cnncli.render.terminal.raster import BARS

if TYPE_CHECKING:
    from cnncli.inspection.views.charts import Chart

Array = NDArray[Any]
Size = tuple[int, int]
"""Lines and columns."""

DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bits of the dots of a braille character, four lines of two (Unicode 2800 to 28FF)."""
MARKS = "oxv+*#%@&$=~"
"""What lines are drawn with where there is no colour."""
CLASSES = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"
"""What points are drawn with where there is no colour, or there are more classes than colours."""
CROWD = len(SERIES)
"""Classes up to which points are told apart by colour alone."""
LEVEL, UPRIGHT = "╌╎"
ASCII_LEVEL, ASCII_UPRIGHT = "-:"
"""Lines that mark something."""
NOBODY = -1
"""Of a cell that no series owns."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Characters, (lines, columns), and whose they are; those of nobody are faint."""

    characters: NDArray[np.str_]
    owners: NDArray[np.int64]

    def lines(self, *, ascii_only: bool) -> list[Text]:
        """In the colours of the series."""
        characters = self.characters
        if ascii_only:
            characters = np.where(characters == UPRIGHT, ASCII_UPRIGHT, characters)
            characters = np.where(characters < "\x7f", characters, ASCII_LEVEL)
        return [
            Text.assemble(*((char, series_style(owner)) for char, owner in zip(*row, strict=True)))
            for row in zip(characters.tolist(), self.owners.tolist(), strict=True)
        ]


def symbols(chart: Chart) -> list[str]:
    """The character that stands for each series where colours do not tell them apart."""
    known = MARKS if chart.kind == "lines" else CLASSES if chart.kind == "points" else "#"
    return [known[index % len(known)] for index in range(len(chart.series))]


def lines(chart: Chart, frame: Frame, size: Size, *, plain: bool) -> Cells:
    """Dots, four lines of two in a cell, or marks; where series cross, the cell is the later one's."""
    cells, owners = _ground(chart, frame, size)
    bits = np.zeros(size, np.int64)
    finer = (1, 1) if plain else DOTS.shape
    for index, (series, mark) in enumerate(zip(chart.series, symbols(chart), strict=True)):
        for run in frame.runs(series):
            right, down = trace(run, size[1] * finer[1], size[0] * finer[0]).T
            where = down // finer[0], right // finer[1]
            cells[where], owners[where] = mark, index
            np.bitwise_or.at(bits, where, DOTS[down % 4, right % 2])
    return Cells(cells if plain else _braille(cells, bits), owners)


def points(chart: Chart, frame: Frame, size: Size, *, plain: bool) -> Cells:
    """As `lines`, but a cell is its most frequent series'; marks also where there are too many series for colours."""
    cells, owners = _ground(chart, frame, size)
    bits, most = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for index, (series, mark) in enumerate(zip(chart.series, symbols(chart), strict=True)):
        places = frame.points(series)
        right = np.rint(places[:, 0] * (size[1] * 2 - 1)).astype(np.int64)
        down = np.rint((1 - places[:, 1]) * (size[0] * 4 - 1)).astype(np.int64)
        where = down // 4, right // 2
        np.bitwise_or.at(bits, where, DOTS[down % 4, right % 2])
        count = np.zeros(size, np.int64)
        np.add.at(count, where, 1)
        more = count > most
        cells[more], owners[more], most[more] = mark, index, count[more]
    return Cells(cells if plain or len(chart.series) > CROWD else _braille(cells, bits), owners)


def bars(chart: Chart, frame: Frame, size: Size, *, plain: bool) -> Cells:
    """Columns of blocks, to an eighth of a cell; each shows the highest step that falls into it."""
    cells, owners = _ground(chart, frame, size)
    height, columns = size
    for index, series in enumerate(chart.series):
        tops = np.zeros(columns)
        for left, right, top in frame.bars(series):
            start = min(int(left * columns + 1e-9), columns - 1)
            stop = max(int(np.ceil(right * columns - 1e-9)), start + 1)
            tops[start:stop] = np.maximum(tops[start:stop], top)
        eighths = np.ceil(tops * height * 8 - 1e-9).astype(np.int64)  # whatever is not 0 is seen
        filled = np.clip(eighths - 8 * np.arange(height)[::-1, None], 0, 8)  # (height, columns)
        blocks = np.where(filled >= 4, "#", np.where(filled > 0, ".", " ")) if plain else np.array(list(BARS))[filled]
        cells, owners = np.where(filled, blocks, cells), np.where(filled, index, owners)
    return Cells(cells, owners)


def _ground(chart: Chart, frame: Frame, size: Size) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Nothing but the lines that mark something."""
    cells, owners = np.full(size, " "), np.full(size, NOBODY, np.int64)
    for value, _ in chart.marks:
        cells[round((1 - frame.y.place(value)) * (size[0] - 1))] = LEVEL
    for value, _ in chart.uprights:
        cells[:, round(frame.x.place(value) * (size[1] - 1))] = UPRIGHT
    return cells, owners


def _braille(cells: NDArray[np.str_], bits: NDArray[np.int64]) -> NDArray[np.str_]:
    """The dots, and the cells where there are none."""
    dots = np.array([chr(0x2800 + number) for number in range(256)])
    return np.where(bits > 0, dots[bits], cells)


def series_style(owner: int) -> str:
    """The colour of a series; faint for nobody."""
    return "dim" if owner == NOBODY else "rgb({},{},{})".format(*series_color(owner))
