"""Small tensors as grids of numbers, big ones as a hint how to save them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from cnncli.render.text import count, numbers
from cnncli.wording import shape_text

LARGEST = 1024
"""Tensors with more numbers than this are not printed."""
SPACE = 3
"""Blank columns between grids that stand side by side."""


@dataclass(frozen=True, eq=False)
class Values:
    """All the numbers of one tensor: (F,) in lines, (H, W) as a grid, (..., H, W) as a grid for each channel."""

    name: str
    array: NDArray[Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text.assemble((self.name, "bold"), "  ", (shape_text(self.array.shape), "dim"))
        if self.array.size > LARGEST:
            yield Text(
                f"  {count(self.array.size)} numbers are too many to print (at most {count(LARGEST)}); "
                "save them with --save FILE.npz",
                style="dim",
            )
            return
        for line in _flow(list(self._blocks(options.max_width - 2)), options.max_width - 2):
            yield Segment("  " + line.rstrip())
            yield Segment.line()

    def _blocks(self, width: int) -> Iterator[list[str]]:
        """Equally wide lines for each channel, or for as many columns of it as fit the width."""
        array = self.array if self.array.ndim > 1 else self.array.reshape(1, -1)
        height, columns = array.shape[-2:]
        texts = numbers(array)
        cell = max(map(len, texts), default=0) + 1
        fit = max((width + 1) // cell, 1)
        rows = [texts[start : start + columns] for start in range(0, len(texts), columns)]
        for top, label in enumerate(channel_names(array.shape[:-2])):
            for left in range(0, columns, fit):
                right = min(left + fit, columns)
                span = f"[{left}..{right - 1}]" if columns > fit else ""
                grid = rows[top * height : (top + 1) * height]
                lines = [" ".join(text.rjust(cell - 1) for text in row[left:right]) for row in grid]
                title = " ".join(filter(None, (label, span)))
                yield _boxed([title, *lines] if title else lines)


def channel_names(shape: tuple[int, ...]) -> list[str]:
    """(2,) to c0, c1; (1, 2) to [0, 0] and [0, 1]; () to one without a name."""
    if len(shape) < 2:
        return [f"c{index}" for index in range(*shape)] if shape else [""]
    return [f"[{', '.join(map(str, index))}]" for index in np.ndindex(shape)]


def _boxed(lines: list[str]) -> list[str]:
    width = max(map(len, lines))
    return [line.ljust(width) for line in lines]


def _flow(blocks: list[list[str]], width: int) -> Iterator[str]:
    """Blocks side by side, as many as fit, a blank line between rows of them."""
    row: list[list[str]] = []
    used = 0
    for block in blocks:
        if row and used + SPACE + len(block[0]) > width:
            yield from _row(row)
            yield ""
            row, used = [], 0
        used += (SPACE if row else 0) + len(block[0])
        row.append(block)
    yield from _row(row)


def _row(blocks: list[list[str]]) -> Iterator[str]:
    for parts in zip(*blocks, strict=True):
        yield (" " * SPACE).join(parts)
