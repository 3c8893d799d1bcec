"""Views made of given numbers, and a terminal that can be read."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, RenderableType

from cnncli.inspection.statistics import as_maps, ranking, statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.inspection.views.flow import LayerRow
from cnncli.wording import channel_name, shape_text

Array = NDArray[Any]

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def draw(renderable: RenderableType, *, width: int = 100, color: Any = None, encoding: str = "utf-8") -> str:
    """What a terminal of this width would be sent; without colour, what a pipe would."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    terminal = color is not None
    console = Console(file=file, width=width, color_system=color, force_terminal=terminal, highlight=False, _environ={})
    console.print(renderable)
    file.seek(0)
    return file.read()


def lines(renderable: RenderableType, *, width: int = 100, color: Any = None, encoding: str = "utf-8") -> list[str]:
    """The same without escape codes and trailing blanks."""
    text = ESCAPES.sub("", draw(renderable, width=width, color=color, encoding=encoding))
    return [line.rstrip() for line in text.splitlines()]


def row(name: str, type_: str, array: Array, inputs: tuple[str, ...] = ()) -> LayerRow:
    return LayerRow(name, type_, inputs, array.shape, statistics(array), ranking(as_maps(array)), array)


def tensor(
    array: Array,
    *,
    node: str = "conv1",
    type_: str = "conv2d",
    what: str = "activation",
    index: int = 1,
    channels: Sequence[int] | None = None,
) -> Row:
    """(C, H, W) as channels, (O, I, h, w) as filters, anything else as one tile."""
    maps = array if array.ndim == 4 else as_maps(array)
    of_channels = array.ndim > 2 and len(maps) == len(array)
    chosen = [channel for channel in (range(len(maps)) if channels is None else channels) if channel < len(maps)]
    tiles = tuple(Tile(channel_name(channel, len(maps)), maps[channel], channel) for channel in chosen)
    return Row(
        (node, type_, what, shape_text(array.shape)),
        what,
        tiles if of_channels else (Tile("", maps[0]),),
        node=node,
        type=type_,
        index=index,
        shape=array.shape,
        signed=what != "activation" or bool((array < 0).any()),
        statistics=statistics(array),
        total=len(maps) if of_channels else 1,
        inside=maps.shape[1] if array.ndim == 4 else 1,
        array=array,
    )


def board(
    *rows: Row, name: str = "feature-maps", subject: Subject | None = None, together: bool = False, notes: str = ""
) -> Board:
    """A sheet for each row, or one for all `together`."""
    said = (notes,) if notes else ()
    if together:
        sheets = (Sheet("all", rows, ("all",), notes=said),)
    else:
        stems = [layer_stem(row.index or 0, row.node, row.what, row.channels, row.total) for row in rows]
        sheets = tuple(Sheet(stem, (row,), notes=said) for stem, row in zip(stems, rows, strict=True))
    return Board(name, subject or Subject("test:17"), sheets)


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
