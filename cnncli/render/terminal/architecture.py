"""The network in the terminal: a line for each layer, beside it the lanes of what flows past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from cnncli.render.boxes import MEANINGS, box_name, box_type
from cnncli.render.lanes import Layout, lay_out, one_by_one
from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.text import count
from cnncli.wording import plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views.architecture import ArchitectureView, Box

STYLES = {
    "input": "bold",
    "parameters": "cyan",
    "rectifier": "green",
    "pool": "magenta",
    "join": "yellow",
    "other": "",
}
SYMBOLS = {"input": "○", "parameters": "●", "rectifier": "▷", "pool": "▽", "join": "◆", "other": "○"}
PLAIN_SYMBOLS = {"input": "o", "parameters": "@", "rectifier": ">", "pool": "v", "join": "*", "other": "o"}
LINES = {
    # above, below, left, right
    (True, True, True, False): "┤",
    (True, True, False, True): "├",
    (True, False, True, False): "╯",
    (True, False, False, True): "╰",
    (False, True, True, False): "╮",
    (False, True, False, True): "╭",
    (True, False, True, True): "┴",
    (False, True, True, True): "┬",
    (True, True, True, True): "┼",
}


def architecture(view: ArchitectureView) -> RenderableType:
    """The lanes, then what each layer is."""
    return _Diagram(view)


@dataclass(frozen=True)
class _Diagram:
    view: ArchitectureView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = options.ascii_only
        boxes = {box.name: box for box in self.view.boxes}
        inputs = {box.name: box.inputs for box in self.view.boxes}
        lines = list(_lines(lay_out(inputs, one_by_one(inputs)), boxes, plain=plain))
        shown = [boxes.get(name) for name, _ in lines]
        yield Fitted(
            [
                Column("", [lane for _, lane in lines]),
                Column(
                    "layer",
                    [Text(box_name(box), STYLES[box.kind]) if box else "" for box in shown],
                    total=plural(self.view.layers, "layer"),
                ),
                Column("type", [box_type(box) if box else "" for box in shown], drop=2),
                Column("output", [shape_text(box.shape) if box else "" for box in shown]),
                Column(
                    "parameters",
                    [count(box.parameters) if box and box.parameters else "" for box in shown],
                    right=True,
                    drop=1,
                    total=count(self.view.parameters),
                ),
            ]
        )
        symbols = PLAIN_SYMBOLS if plain else SYMBOLS
        kinds = {box.kind for box in self.view.boxes}
        parts = [
            Text.assemble((symbols[kind], STYLES[kind]), f" {text}") for kind, text in MEANINGS.items() if kind in kinds
        ]
        yield Text("   ").join(parts)
        if len(self.view.boxes) <= self.view.layers:
            yield Text("layers that keep the shape stand behind the one that they follow", "dim")


def _lines(layout: Layout, boxes: dict[str, Box], *, plain: bool) -> Iterator[tuple[str, Text]]:
    """The name of a layer, or nothing, and the lanes beside it."""
    before: set[int] = set()
    for row, (name,) in enumerate(layout.rows):
        after = {run.lane for run in layout.crossing(row)}
        lane = layout.lane[name]
        merging = {run.lane for run in layout.runs if name in run.readers} - {lane}
        forking = {run.lane for run in layout.runs if run.source == name} - {lane}
        symbol = Text((PLAIN_SYMBOLS if plain else SYMBOLS)[boxes[name].kind], STYLES[boxes[name].kind])
        if merging and forking:
            between = after - forking | {run.lane for run in layout.runs if run.source == name and run.lane == lane}
            yield name, _line(layout.lanes, before, between, merging | {lane}, lane, symbol, plain=plain)
            yield "", _line(layout.lanes, between, after, forking | {lane}, lane, None, plain=plain)
        else:
            yield name, _line(layout.lanes, before, after, merging | forking | {lane}, lane, symbol, plain=plain)
        before = after


def _line(
    lanes: int, above: set[int], below: set[int], joined: set[int], lane: int, symbol: Text | None, *, plain: bool
) -> Text:
    """`joined` lanes meet in this line; lines that only cross them are not interrupted."""
    low, high = min(joined), max(joined)
    text = Text()
    for place in range(lanes):
        if place == lane and symbol is not None:
            text.append_text(symbol)
        elif place in joined:
            mark = LINES[place in above, place in below, low < place, place < high]
            text.append("+" if plain else mark)
        elif place in above or place in below:
            text.append("|" if plain else "│")
        else:
            text.append(("-" if plain else "─") if low < place < high else " ")
        text.append(("-" if plain else "─") if low <= place < high else " ")
    return text
