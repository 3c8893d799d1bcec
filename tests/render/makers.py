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
from cnncli.inspection.views import LayerRow, Panel, PanelsView, Subject

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


def panel(
    array: Array,
    *,
    node: str = "conv1",
    type_: str = "conv2d",
    what: str = "activation",
    index: int = 1,
    channels: Sequence[int] | None = None,
) -> Panel:
    """(C, H, W) as channels, (O, I, h, w) as filters, anything else as one block."""
    of_channels = array.ndim > 2
    maps = array if array.ndim == 4 else as_maps(array)[:, None]
    of_channels = of_channels and len(maps) == len(array)
    chosen = tuple(range(len(maps)) if channels is None else channels) if of_channels else ()
    return Panel(
        index=index,
        node=node,
        type=type_,
        what=what,
        shape=array.shape,
        signed=what != "activation" or bool((array < 0).any()),
        statistics=statistics(array),
        maps=maps[list(chosen)] if of_channels else maps,
        inside=maps.shape[1],
        channels=chosen,
        ranked=False,
        total=len(maps) if of_channels else 1,
        array=array,
    )


def view(*panels: Panel, name: str = "feature-maps", subject: Subject | None = None) -> PanelsView:
    return PanelsView(name, subject or Subject("test:17"), panels)


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
