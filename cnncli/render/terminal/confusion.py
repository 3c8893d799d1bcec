"""A confusion matrix in the terminal: the numbers where they fit, else a picture; the classes, the confused pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.style import Style
from rich.text import Text

from cnncli.render.colors import Colors, luminance
from cnncli.render.confusion import BRIGHT, DARK, LIGHT, READING, cell_colors, class_label, error_limits, errors, facts
from cnncli.render.pixels import reduce, reduction
from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.terminal.raster import SHARED, ColorBar, Raster, color_system, shares_lines
from cnncli.render.text import count, percent

if TYPE_CHECKING:
    from cnncli.inspection.views.confusion import ClassQuality, ConfusionView

NAME = 16
"""Letters of a class name beside the matrix."""
LISTED = 30
"""Classes in the table; of more, the worst."""


def confusion(view: ConfusionView) -> RenderableType:
    """The matrix, a table of the classes, a table of the most confused pairs."""
    return _Confusion(view)


@dataclass(frozen=True)
class _Confusion:
    view: ConfusionView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view, width = self.view, options.max_width
        plain = color_system(console, options) is None
        yield Heading("confusion", [("samples", view.samples)], "  ".join(facts(view)))
        yield Text("  ".join(READING), style="dim")
        numbers = _Numbers(view, plain=plain)
        if not (plain and numbers.width <= width):  # numbers without colour say it themselves
            limits = error_limits(view)
            yield ColorBar(limits, (percent(limits.vmin), percent(limits.vmax)))
            yield Text("share of the true class that is taken for another" + ("" if plain else "; grey: right"), "dim")
        yield from numbers.lines() if numbers.width <= width else _picture(view, width, plain=plain)
        yield Text()
        yield from _classes(view)
        if view.pairs:
            yield Text()
            yield _pairs(view)


class _Numbers:
    """The columns' numbers, then a line for each class."""

    def __init__(self, view: ConfusionView, *, plain: bool) -> None:
        self.view, self.plain = view, plain
        self.names = [class_label(each, NAME) for each in view.classes]
        self.margin = max(map(len, self.names)) + 1
        self.cell = max(len(count(max(map(max, view.matrix)))), len(str(len(self.names) - 1))) + 2
        self.width = self.margin + self.cell * len(self.names)

    def lines(self) -> Iterator[Text]:
        head = (str(index).rjust(self.cell - 1) for index in range(len(self.names)))
        yield Text(" " * self.margin + " ".join(head), style="bold")
        colors = cell_colors(self.view)
        bright = luminance(colors) > BRIGHT
        for index, (name, row) in enumerate(zip(self.names, self.view.matrix, strict=True)):
            line = Text(name.ljust(self.margin), style="bold")
            for column, value in enumerate(row):
                text = (count(value) if value else ".").rjust(self.cell - 1) + " "
                line.append(text, self._style(value, colors[index, column], bright=bool(bright[index, column])))
            if self.plain:
                line.rstrip()
            yield line

    def _style(self, value: int, color: Colors, *, bright: bool) -> Style:
        if self.plain or not value:
            return Style(bold=False, dim=not value)
        ink = Color.from_rgb(*(DARK if bright else LIGHT))
        return Style(color=ink, bgcolor=Color.from_rgb(*color.tolist()), bold=False)


def _picture(view: ConfusionView, width: int, *, plain: bool) -> Iterator[RenderableType]:
    """A pixel for each cell, or for a block of them; without colour the errors alone."""
    shrunk = reduction((len(view.classes),) * 2, len(view.classes), width)
    colors, shares = reduce(cell_colors(view), shrunk), reduce(errors(view), shrunk)
    if shrunk > 1:
        yield Text(f"shown at 1/{shrunk} (means of {shrunk}x{shrunk} cells)", style="dim")
    if plain and shares_lines(len(shares), 1):
        yield Text(SHARED, style="dim")
    yield replace(Raster.of_map(shares, error_limits(view)), colors=colors)


def _classes(view: ConfusionView) -> Iterator[RenderableType]:
    """All, or those with the lowest F1."""
    shown = list(view.classes)
    if len(shown) > LISTED:
        shown = sorted((each for each in shown if each.f1 is not None), key=_by_f1)[:LISTED]
        yield Text(f"the {len(shown)} of {count(len(view.classes))} classes with the lowest F1", style="dim")
    yield Fitted(
        [
            Column("class", [class_label(each, 60) for each in shown]),
            Column("true", [count(each.true) for each in shown], right=True, drop=2),
            Column("predicted", [count(each.predicted) for each in shown], right=True, drop=3),
            Column("right", [count(each.right) for each in shown], right=True, drop=1),
            *(
                Column(name, [_score(each) for each in scores], right=True)
                for name, scores in (
                    ("precision", [each.precision for each in shown]),
                    ("recall", [each.recall for each in shown]),
                    ("F1", [each.f1 for each in shown]),
                )
            ),
        ]
    )


def _by_f1(quality: ClassQuality) -> float:
    return np.inf if quality.f1 is None else quality.f1


def _score(value: float | None) -> str:
    return "-" if value is None else percent(value)


def _pairs(view: ConfusionView) -> Fitted:
    return Fitted(
        [
            Column("true", [pair.true for pair in view.pairs]),
            Column("taken for", [pair.predicted for pair in view.pairs]),
            Column("times", [count(pair.count) for pair in view.pairs], right=True),
            Column("of the class", [percent(pair.share) for pair in view.pairs], right=True, drop=1),
            Column("for instance", [" ".join(pair.examples) for pair in view.pairs], drop=2),
        ]
    )
