"""Panels in the terminal: grids of labelled tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cnncli.render.colors import Limits
from cnncli.render.fitted import Heading, in_lines
from cnncli.render.labels import facts, limit_labels, panel_notes, panel_title, tile_labels
from cnncli.render.scale import Scale
from cnncli.render.terminal import Bars, ColorBar, Raster, Strip, enlarge, reduce, reduction, thumbnail

if TYPE_CHECKING:
    from cnncli.inspection.views import Panel, PanelsView

Array = NDArray[Any]

TILE = 32
"""Pixels a side of a map, at most; a single one may have the whole width."""
LABEL = 16
"""Small maps are enlarged to about this width, which their labels have."""
INSIDE = 8
"""The same for the maps inside a filter."""
SPACE = 2
BAR = 4
"""Columns for each number of a short vector."""


def panels(view: PanelsView, scale: Scale | None = None) -> RenderableType:
    """All panels, below the input."""
    scale = scale or Scale()
    parts: list[RenderableType] = [Heading(view.view, facts(view.subject))]
    if view.subject.picture is not None:
        parts += [thumbnail(view.subject.picture, TILE), Text()]
    return Group(*parts, *(_Panel(panel, scale, scale.limits(view, panel)) for panel in view.panels))


@dataclass(frozen=True, eq=False)
class _Panel:
    panel: Panel
    scale: Scale
    limits: tuple[Limits, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        shrunk = _shrunk(self.panel.maps, width)
        notes = [f"scale {self.scale.describe(self.panel, self.limits)}", *panel_notes(self.panel, shrunk)]
        yield Text("  ".join(panel_title(self.panel)), style="bold")
        yield from in_lines([Text(note, style="dim") for note in notes], width)
        widest = self.scale.widest(self.limits)
        yield ColorBar(widest, limit_labels(widest, same=self.scale.mode != "map"))
        tiles = _tiles(reduce(self.panel.maps, shrunk), self.limits, width)
        yield from _grid(list(zip(tile_labels(self.panel), tiles, strict=True)), console, options)


def _shrunk(maps: Array, width: int) -> int:
    """By which integer the maps (B, K, H, W) are reduced; a single one may have the whole width."""
    if maps.shape[2] == 1:
        return reduction(maps.shape, 1, width)
    side = TILE if maps.shape[0] * maps.shape[1] > 1 else 2 * TILE
    return reduction(maps.shape, side, min(side, width))


def _tiles(maps: Array, limits: Sequence[Limits], width: int) -> Iterator[RenderableType]:
    """One picture for each block; the maps of a filter in lines as long as fit."""
    blocks, inside, height, columns = maps.shape
    if blocks * inside * height == 1:
        yield Bars(np.repeat(maps[0, 0, 0], max(min(BAR, width // columns), 1)), limits[0])
        return
    factor = max(min(LABEL if inside == 1 else INSIDE, width) // max(height, columns), 1)
    fit = max((width + 1) // (columns * factor + 1), 1)
    for block, of_block in zip(enlarge(maps, factor), limits, strict=True):
        rasters = [Raster.of_map(each, of_block) for each in block]
        yield Group(*(Strip(tuple(rasters[start : start + fit])) for start in range(0, inside, fit)))


def _grid(
    tiles: Sequence[tuple[str, RenderableType]], console: Console, options: ConsoleOptions
) -> Iterator[RenderableType]:
    """Labelled tiles, as many in a row as fit."""
    cell = max(max(len(label), Measurement.get(console, options, tile).maximum) for label, tile in tiles)
    columns = max((options.max_width + SPACE) // (cell + SPACE), 1)
    for start in range(0, len(tiles), columns):
        row = tiles[start : start + columns]
        grid = Table.grid(padding=(0, SPACE, 0, 0))
        for _ in row:
            grid.add_column(width=min(cell, options.max_width), no_wrap=True, overflow="ellipsis")
        grid.add_row(*(_label(label) for label, _ in row))
        grid.add_row(*(tile for _, tile in row))
        yield grid
        yield Text()


def _label(label: str) -> Text:
    name, bracket, ends = label.partition(" [")
    return Text.assemble(name, (bracket + ends, "dim"))
