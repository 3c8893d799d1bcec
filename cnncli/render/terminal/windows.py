"""What an output is made from: the window of its input, what that is multiplied by, and the products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from cnncli.render.terminal.arithmetic import Detail, Equation, Grid, Terms, largest_first, place_text, total
from cnncli.render.terminal.fitted import in_lines
from cnncli.render.text import count, numbers
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.trace import Maximum, Sum, Window

Array = NDArray[Any]

CHANNELS = 3
"""So many channels are written out, unless all are asked for."""
SUMS = 24
"""So many others are named with their sums."""


@dataclass(frozen=True, eq=False)
class Products:
    """Of a layer that is linear: channel by channel where the window is an image's, else the largest terms."""

    sum: Sum
    weight: str
    """What its filter is called: "conv2.weight[3]"."""
    detail: Detail

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        windows = self.sum.windows
        if len(windows) == 1 and _is_image(windows[0]):
            window, dot = windows[0], _dot(options)
            order = largest_first(_channel_sums(window))
            shown = order if self.detail.every else order[:CHANNELS]
            equations = [self._equation(window, channel, dot) for channel in shown]
            if max(equation.width for equation in equations) <= options.max_width:
                yield from self._channels(window, equations, order[len(shown) :], options.max_width, dot)
                return
        yield self._terms()

    def _channels(
        self, window: Window, equations: list[Equation], others: list[int], width: int, dot: str
    ) -> Iterator[RenderableType]:
        yield _seen(window)
        for equation in equations:
            yield Text()
            yield equation
        if not window.inside.all():
            yield Text(f"{dot} is the padding: 0", style="dim")
        if others:
            yield Text()
            yield from self._sums(window, others, width)

    def _equation(self, window: Window, channel: int, dot: str) -> Equation:
        values = _numbers(f"{window.source} c{window.first[0] + channel}", window, channel, self.detail.digits, dot)
        if share(self.sum) is not None:
            return Equation([values], [])
        outside, products = ~window.inside[channel].ravel(), window.products[channel]
        name = f"{self.weight[:-1]},{channel}]" if self.sum.weighted else "coefficients"
        kernel = Grid(name, numbers(window.coefficients[channel], self.detail.digits), values.columns, outside.tolist())
        in_all = numbers(np.array(total(products)), self.detail.digits)[0]
        texts = _dotted(numbers(products, self.detail.digits), outside, dot)
        faint = outside | (products.ravel() == 0)
        return Equation(
            [values, kernel, Grid(f"products, sum {in_all}", texts, values.columns, faint.tolist())], ["x", "="]
        )

    def _sums(self, window: Window, others: list[int], width: int) -> Iterator[RenderableType]:
        sums = _channel_sums(window)
        named, unnamed = others[:SUMS], others[SUMS:]
        texts = numbers(sums[named], self.detail.digits)
        yield Text(f"sums of the products of {plural(len(others), 'other channel')}", style="bold")
        items = [Text(f"c{window.first[0] + k} {text}") for k, text in zip(named, texts, strict=True)]
        if unnamed:
            items.append(Text(f"and {count(len(unnamed))} more, together {numbers(np.array(total(sums[unnamed])))[0]}"))
        yield from in_lines(items, width)

    def _terms(self) -> Terms:
        windows = self.sum.windows
        arrays = [[each[w.inside] for each in (w.values, w.coefficients, w.products)] for w in windows]
        values, coefficients, products = (np.concatenate(column) for column in zip(*arrays, strict=True))
        places = [(window, index) for window in windows for index in np.argwhere(window.inside)]

        def name(term: int) -> str:
            window, index = places[term]
            return place_text(window.source, np.array(window.first) + index * np.array(window.step))

        return Terms("from", name, [("number", values), ("x coefficient", coefficients)], products, self.detail)


@dataclass(frozen=True, eq=False)
class Winner:
    """Of a layer that picks a maximum: the window, the winner in brackets."""

    maximum: Maximum
    detail: Detail

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        window, dot = self.maximum.window, _dot(options)
        grid = _numbers(f"{window.source} c{window.first[0]}", window, 0, self.detail.digits, dot)
        grid = _with_brackets(grid, window.coefficients[0].ravel() == 1)
        yield _seen(window)
        yield Text()
        if grid.width <= options.max_width:
            yield Equation([grid], [])
            if not window.inside.all():
                yield Text(f"{dot} is the padding, which never wins", style="dim")
        else:
            yield Text(f"{count(window.values.size)} numbers, too wide to be printed here", style="dim")


def share(sum_: Sum) -> float | None:
    """What each of several numbers counts in a mean; None where it is none."""
    if sum_.weighted or len(sum_.windows) != 1:
        return None
    counts = sum_.windows[0].coefficients[sum_.windows[0].inside]
    return float(counts[0]) if counts.size > 1 and (counts == counts[0]).all() else None


def _is_image(window: Window) -> bool:
    return window.values.ndim == 3 and window.values.shape[1:] != (1, 1)


def _channel_sums(window: Window) -> Array:
    return np.array([total(channel) for channel in window.products])


def _dot(options: ConsoleOptions) -> str:
    """What stands for the zeros of the padding."""
    return "." if options.ascii_only else "·"


def _numbers(title: str, window: Window, channel: int, digits: int, dot: str) -> Grid:
    """One channel of the window."""
    outside, values = ~window.inside[channel].ravel(), window.values[channel]
    texts = _dotted(numbers(values, digits), outside, dot)
    return Grid(title, texts, values.shape[1], (outside | (values.ravel() == 0)).tolist())


def _dotted(texts: list[str], outside: Array, dot: str) -> list[str]:
    """With a dot for what lies in the padding."""
    return [dot if is_out else text for text, is_out in zip(texts, outside, strict=True)]


def _with_brackets(grid: Grid, chosen: Array) -> Grid:
    """Around the chosen number."""
    texts = [f"[{text}]" if is_it else f" {text} " for text, is_it in zip(grid.cells, chosen, strict=True)]
    return Grid(grid.title, texts, grid.columns, grid.faint, chosen.tolist())


def _seen(window: Window) -> Text:
    """Where the window lies."""
    parts = []
    for name, first, step, size in zip(
        ("channels", "rows", "columns"), window.first, window.step, window.values.shape, strict=True
    ):
        last = first + (size - 1) * step
        parts.append(f"{name} {first} to {last}" if size > 1 else f"{name[:-1]} {first}")
        parts[-1] += f" in steps of {step}" if step > 1 and size > 1 else ""
    return Text(f"reads {window.source}: {', '.join(parts)}")
