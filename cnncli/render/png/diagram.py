"""The drawing of a network: a box for each layer, rows by depth, lines in lanes of their own that cross no box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

from cnncli.render.boxes import box_name, box_type
from cnncli.render.lanes import Run, by_depth, lay_out
from cnncli.render.png.canvas import BACKGROUND, FAINT, INK, NORMAL, SMALL, Canvas, line_height, text_width
from cnncli.render.text import count
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views.architecture import ArchitectureView, Box

Color = tuple[int, int, int]


COLORS: dict[str, Color] = {
    "input": (150, 150, 156),
    "parameters": (86, 156, 214),
    "rectifier": (96, 190, 120),
    "pool": (198, 120, 210),
    "join": (230, 170, 70),
    "other": (150, 150, 156),
}
"""Of the kinds of layers."""
WIRE = (185, 185, 190)
PADDING = 8
"""Pixels between a box and its text."""
WIDEST = 260
"""Pixels of text in a box, at most."""
BESIDE, BETWEEN = 20, 20
"""Pixels between boxes side by side, and between rows."""
LANE = 20
"""Pixels for a lane without boxes."""
TRACK = 8
"""Pixels between two lines that change lanes below one another."""
BRIDGE = 4
"""Pixels that a line across is interrupted on both sides of one that it crosses."""
LOWEST = 900
"""Pixels that a drawing may have in height before it is cut into columns."""
GUTTER = 40
"""Pixels between columns."""
MOST_WIRES, WIRE_PRICE = 2, 200
"""Lines that may go on from one column to the next; how many pixels farther off a cut may be to save one."""
INSIDE_PRICE = 100
"""The same to cut just before lines part, as between residual blocks, and not inside of a block."""
GAIN = 0.8
"""A drawing is cut into columns if that makes it so much lower."""
SHAPE = 1.5
"""About how much broader than high a drawing of several columns is."""


@dataclass(frozen=True)
class Column:
    """A part of the drawing, between two heights of the whole."""

    top: int
    bottom: int
    width: int
    wires: tuple[int, ...] = ()
    """Where the lines are that go on from its foot, from left to right."""


class Diagram:
    """The drawing in one column; measures itself, then draws itself."""

    def __init__(self, view: ArchitectureView) -> None:
        self.boxes = {box.name: box for box in view.boxes}
        inputs = {box.name: box.inputs for box in view.boxes}
        self.layout = lay_out(inputs, by_depth(inputs))
        texts = [text for box in view.boxes for text in _texts(box)]
        self.box_width = min(max(text_width(*text) for text in texts), WIDEST) + 2 * PADDING
        self.box_height = line_height(NORMAL) + 2 * line_height(SMALL) + PADDING

    @cached_property
    def lefts(self) -> list[int]:
        """Of every lane, and where the last one ends."""
        with_boxes = set(self.layout.lane.values())
        lefts = [0]
        for lane in range(self.layout.lanes):
            lefts.append(lefts[-1] + (self.box_width + BESIDE if lane in with_boxes else LANE))
        return lefts

    @property
    def width(self) -> int:
        """Of all lanes."""
        return self.lefts[-1]

    def centre(self, lane: int) -> int:
        """The middle of a lane."""
        return (self.lefts[lane] + self.lefts[lane + 1]) // 2

    @cached_property
    def tracks(self) -> list[list[tuple[str, bool]]]:
        """For every row what changes lanes in the gap below it, from top to bottom: names of layers, and whether it
        leaves them or comes to them."""
        gaps = []
        for names, below in pairwise([*self.layout.rows, ()]):
            leaving = [(name, True) for name in names if self._elsewhere(name, leaving=True)]
            gaps.append(leaving + [(name, False) for name in below if self._elsewhere(name, leaving=False)])
        return gaps

    def _elsewhere(self, name: str, *, leaving: bool) -> list[Run]:
        """The runs that leave a layer, or come to it, in other lanes than its own."""
        lane = self.layout.lane[name]
        runs = (run for run in self.layout.runs if (run.source == name if leaving else name in run.readers))
        return [run for run in runs if run.lane != lane]

    @cached_property
    def tops(self) -> list[int]:
        """Of the boxes of every row, and of one behind the last."""
        tops = [TRACK]
        for tracks in self.tracks:
            tops.append(tops[-1] + self.box_height + BETWEEN + TRACK * max(len(tracks) - 1, 0))
        return tops

    def columns(self) -> list[Column]:
        """Cut where few lines go on; whole where that gains little."""
        total = self.tops[-1]
        wanted = max(min(math.ceil(total / LOWEST), round(math.sqrt(total * SHAPE / (self.width + GUTTER)))), 1)
        possible = [row for row in range(len(self.tops) - 2) if self._may_be_cut(row)]
        ideal = [total * number // wanted for number in range(1, wanted)]
        rows = {min(possible, key=partial(self._price, height)) for height in ideal if possible}
        last = len(self.tops) - 2
        columns = [self._column(first + 1, final) for first, final in pairwise([-1, *sorted(rows), last])]
        gained = max(column.bottom - column.top for column in columns) < GAIN * total
        return columns if gained else [self._column(0, last)]

    def _price(self, height: int, row: int) -> int:
        """Of a cut below a row that should be at a height: how far off it is, each line that has to go on, and whether
        lines part there."""
        wires = WIRE_PRICE * len(self._cut_lanes(row))
        inside = INSIDE_PRICE if self._waist(row) is None or len(self.layout.crossing(row)) == 1 else 0
        return abs(self.tops[row + 1] - height) + wires + inside

    def _may_be_cut(self, row: int) -> bool:
        """Not where a line that is cut would change lanes to come to the next row."""
        coming = any(not leaving for _, leaving in self.tracks[row])
        return self._waist(row) is not None or (len(self._cut_lanes(row)) <= MOST_WIRES and not coming)

    def _waist(self, row: int) -> str | None:
        """The one layer of a row of which alone all below it read, as between residual blocks."""
        sources = {run.source for run in self.layout.crossing(row)}
        return sources.pop() if len(sources) == 1 and sources <= set(self.layout.rows[row]) else None

    def _cut_lanes(self, row: int) -> list[int]:
        """Of the lines that a cut below a row cuts: at a waist that of its layer, before it branches."""
        waist = self._waist(row)
        return [self.layout.lane[waist]] if waist else sorted(run.lane for run in self.layout.crossing(row))

    def _cut_height(self, row: int) -> int:
        return self.tops[row] + self.box_height if self._waist(row) else self.tops[row + 1] - TRACK

    def _column(self, first: int, last: int) -> Column:
        """Of these rows."""
        lanes = {self.layout.lane[name] for names in self.layout.rows[first : last + 1] for name in names}
        inside = [run.lane for row in range(max(first - 1, 0), last) for run in self.layout.crossing(row)]
        lanes = lanes.union(inside, self._cut_lanes(last))
        wires = tuple(self.centre(lane) for lane in self._cut_lanes(last))
        top = self._cut_height(first - 1) if first else self.tops[0] - TRACK
        return Column(top, self._cut_height(last), self.lefts[max(lanes) + 1], wires)

    def draw(self) -> Canvas:
        canvas = Canvas(self.width, self.tops[-1])
        for row, tracks in enumerate(self.tracks):
            for name, leaving in tracks:
                self._across(canvas, row, name, leaving=leaving)
        for run in self.layout.runs:
            self._down(canvas, run)
        for name, box in self.boxes.items():
            self._box(canvas, name, box)
        return canvas

    def _level(self, name: str, *, leaving: bool) -> int:
        """The height at which what leaves a layer, or comes to it, changes lanes."""
        row = self.layout.row[name] - (0 if leaving else 1)
        return self.tops[row] + self.box_height + BETWEEN // 2 - 2 + TRACK * self.tracks[row].index((name, leaving))

    def _across(self, canvas: Canvas, row: int, name: str, *, leaving: bool) -> None:
        """A line across the lanes, interrupted where it crosses others, dotted where it meets one that goes on."""
        level, own = self._level(name, leaving=leaving), self.layout.lane[name]
        runs = self._elsewhere(name, leaving=leaving)
        lanes = {own, *(run.lane for run in runs)}
        crossed = {run.lane for run in self.layout.crossing(row)} - lanes
        start = self.centre(min(lanes))
        for lane in sorted({*(lane for lane in crossed if min(lanes) < lane < max(lanes)), max(lanes)}):
            stop = self.centre(lane)
            bridge = BRIDGE if lane in crossed else 0
            canvas.draw.line([(start, level), (stop - bridge, level)], fill=WIRE, width=2)
            start = stop + bridge
        for run in runs:
            if not leaving and run.readers[-1] != name:
                canvas.draw.circle((self.centre(run.lane), level), 3, fill=WIRE)
        top, bottom = self.tops[row] + self.box_height, self.tops[row + 1]
        x = self.centre(own)
        canvas.draw.line([(x, top if leaving else level), (x, level if leaving else bottom)], fill=WIRE, width=2)

    def _down(self, canvas: Canvas, run: Run) -> None:
        """Along a lane, from the source or from where it changes lanes, to the last reader or to where it does."""
        layout, last = self.layout, run.readers[-1]
        begin = self.tops[layout.row[run.source]] + self.box_height
        if run.lane != layout.lane[run.source]:
            begin = self._level(run.source, leaving=True)
        end = self.tops[layout.row[last]]
        if run.lane != layout.lane[last]:
            end = self._level(last, leaving=False)
        x = self.centre(run.lane)
        canvas.draw.line([(x, begin), (x, end)], fill=WIRE, width=2)

    def _box(self, canvas: Canvas, name: str, box: Box) -> None:
        x, top = self.centre(self.layout.lane[name]), self.tops[self.layout.row[name]]
        left, right = x - self.box_width // 2, x + self.box_width // 2
        color = COLORS[box.kind]
        corners = (left, top, right, top + self.box_height - 1)
        canvas.draw.rounded_rectangle(corners, radius=5, fill=dark(color), outline=color, width=1)
        if box.inputs:
            canvas.draw.polygon([(x - 4, top - 6), (x + 4, top - 6), (x, top)], fill=WIRE)
        line = top + PADDING // 2 + 1
        for (text, size), ink in zip(_texts(box)[:2], (INK, color), strict=True):
            canvas.text(left + PADDING, line, _short(text, size), size, ink)
            line += line_height(size)
        canvas.text(left + PADDING, line, shape_text(box.shape), SMALL)
        if box.parameters:
            canvas.text(right - PADDING, line, count(box.parameters), SMALL, FAINT, "ra")


def _texts(box: Box) -> list[tuple[str, int]]:
    """What a box must have room for, with the size of its letters."""
    numbers = shape_text(box.shape) + (f"      {count(box.parameters)}" if box.parameters else "")
    return [(box_name(box), NORMAL), (box_type(box), SMALL), (numbers, SMALL)]


def _short(text: str, size: int) -> str:
    """As much of its beginning as there is room for."""
    short = text
    while text_width(short, size) > WIDEST:
        text = text[:-1]
        short = f"{text}..."
    return short


def dark(color: Color) -> Color:
    """A shade of it for the inside of a box."""
    red, green, blue = (round(0.78 * dark + 0.22 * light) for dark, light in zip(BACKGROUND, color, strict=True))
    return red, green, blue
