"""The forward table, with strips of each layer's strongest maps; and the backward tables, below the mirror."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cnncli.render.colors import Limits, extent
from cnncli.render.labels import facts
from cnncli.render.pixels import reduce, reduction
from cnncli.render.terminal.bars import indexed
from cnncli.render.terminal.fitted import GAP, Column, Fitted, Heading
from cnncli.render.terminal.gradient_flow import flow_table
from cnncli.render.terminal.mirror import Mirror
from cnncli.render.terminal.raster import (
    Bar,
    Raster,
    Strip,
    color_system,
    scale_legend,
    thumbnail,
)
from cnncli.render.terminal.units import dead_column, dead_units, zeros
from cnncli.render.terminal.values import Values
from cnncli.render.text import count, number, percent
from cnncli.wording import plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.subject import Subject
    from cnncli.inspection.views.classes import ClassScore
    from cnncli.inspection.views.flow import BackwardView, ForwardView, LayerRow, ParameterRow

TILE = 8
"""Pixels a side of a map in a strip, at most."""
FEWEST, MOST = 3, 8
"""Maps in a strip; where fewer would fit, there is no strip."""
PICTURE = 28
"""Pixels a side of the input's picture, at most."""
BAR = 24


def forward(view: ForwardView, *, values: bool = False) -> RenderableType:
    """What flows forward: the layers, then the most probable classes beside the input."""
    return Group(
        Heading("forward", facts(view.subject), _samples(view.subject)),
        _ForwardTable(view.layers),
        *_warnings(view.layers),
        *dead_units(view.layers, view.subject.samples),
        *_spaced([Values(row.name, row.values) for row in view.layers] if values else []),
        *_answer(view.subject, view.top),
    )


def backward(view: BackwardView, *, values: bool = False) -> RenderableType:
    """What flows back: the mirror, how strong the gradient is from layer to layer, and each parameter's gradient."""
    grids: list[Values] = []
    if values:
        grids += [Values(f"dL/d {row.name}", row.values) for row in view.layers]
        grids += [Values(f"dL/d {row.node}.{row.key}", row.values) for row in view.parameters]
    objective = [] if view.objective is None else [("value", number(view.objective))]
    return Group(
        Heading("backward", [*facts(view.subject), *objective], _samples(view.subject)),
        Mirror(view),
        flow_table(view),
        *_warnings(view.layers),
        *dead_units(view.layers, view.subject.samples),
        *_spaced([_parameter_table(view.parameters)] if view.parameters else []),
        *_spaced(grids),
    )


def class_bars(top: Sequence[ClassScore]) -> RenderableType:
    """One line a class: name, bar, probability."""
    return Fitted(
        [
            Column("", [each.name for each in top]),
            Column("", [Bar(each.probability, BAR) for each in top], drop=1),
            Column("", [percent(each.probability) for each in top], right=True),
        ]
    )


@dataclass(frozen=True, eq=False)
class _ForwardTable:
    """With strips where there is room for them: names and numbers then take two lines."""

    rows: Sequence[LayerRow]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(max_width=10_000)
        stacked = _columns(self.rows, stacked=True)
        used = sum(column.width(console, wide) + GAP for column in stacked)
        tiles = min((options.max_width - used + 1) // (TILE + 1), MOST)
        if tiles < FEWEST:
            yield Fitted(_columns(self.rows, stacked=False))
            return
        strips = [self._strip(row, tiles) for row in self.rows]
        yield Fitted([*stacked, Column("strongest maps", strips)])
        plain = color_system(console, options) is None
        yield Text(f"scale layer: {scale_legend(plain=plain)}", style="dim")
        vectors, maps = ([row for row in self.rows if _is_vector(row) is kind] for kind in (True, False))
        if any(max(row.maps.shape[1:]) > TILE for row in maps):
            yield Text(f"maps larger than {TILE}x{TILE} are shown as means of blocks", style="dim")
        if any(row.values.size > _room(tiles) for row in vectors):
            yield Text(f"vectors longer than {_room(tiles)} are shown as means of neighbours", style="dim")

    def _strip(self, row: LayerRow, tiles: int) -> RenderableType:
        side = _room(tiles) if _is_vector(row) else TILE
        maps = reduce(row.maps, reduction(row.maps.shape, side, side))
        limits = Limits.of(*extent(maps), signed=row.statistics.min < 0)
        if _is_vector(row):
            drawn, _ = indexed(maps[0, 0], limits, side, reduced=row.values.size > side)
            return Group(drawn, Text())
        can_die = bool(row.inputs)  # the input has none
        rasters = (Raster.of_map(maps[index], limits, can_die=can_die) for index in row.ranked[:tiles])
        return Group(Strip(tuple(rasters)), Text())


def _is_vector(row: LayerRow) -> bool:
    return row.maps.shape[:2] == (1, 1)


def _room(tiles: int) -> int:
    """Columns for so many maps side by side."""
    return tiles * (TILE + 1) - 1


def _samples(subject: Subject) -> str:
    if subject.samples == 1:
        return ""
    which = f"of {subject.input}" + (f", sample {subject.sample}" if subject.sample else ", the first")
    return f"statistics over {plural(subject.samples, 'sample')}; pictures and values {which}"


def _layer_columns(rows: Sequence[LayerRow], stacked: bool) -> list[Column]:
    if stacked:
        cells = [Text.assemble(row.name, "\n", (f"{row.type} {shape_text(row.shape)}", "dim"), "\n") for row in rows]
        return [Column("layer", cells)]
    return [
        Column("layer", [row.name for row in rows]),
        Column("type", [Text(row.type, style="dim") for row in rows], drop=3),
        Column("output", [shape_text(row.shape) for row in rows], drop=1),
    ]


def _number_columns(rows: Sequence[LayerRow], names: Sequence[str], drops: Sequence[int]) -> list[Column]:
    return [
        Column(name, [number(getattr(row.statistics, name)) for row in rows], right=True, drop=drop)
        for name, drop in zip(names, drops, strict=True)
    ]


def _pairs(columns: Sequence[Column]) -> list[Column]:
    """Every two columns as one, in two lines."""
    return [
        Column(f"{a.header}\n{b.header}", [f"{x}\n{y}" for x, y in zip(a.cells, b.cells, strict=True)], right=True)
        for a, b in zip(columns[::2], columns[1::2], strict=True)
    ]


def _columns(rows: Sequence[LayerRow], *, stacked: bool) -> list[Column]:
    if stacked:
        middle = _pairs(_number_columns(rows, ("min", "max", "mean", "std"), (0, 0, 0, 0)))
    else:
        middle = _number_columns(rows, ("min", "mean", "max", "std"), (0, 2, 0, 4))
    return [*_layer_columns(rows, stacked), *middle, zeros(rows), *dead_column(rows)]


def _parameter_table(rows: Sequence[ParameterRow]) -> Fitted:
    return Fitted(
        [
            Column("parameter", [f"{row.node}.{row.key}" for row in rows]),
            Column("shape", [shape_text(row.shape) for row in rows], drop=2),
            Column("|dL/dW|", [number(row.gradient.norm) for row in rows], right=True),
            Column("|W|", [number(row.weight_norm) for row in rows], right=True, drop=1),
            Column("ratio", [number(row.ratio) for row in rows], right=True),
            Column("zeros", [percent(row.gradient.zeros) for row in rows], right=True),
        ]
    )


def _warnings(rows: Sequence[LayerRow]) -> Iterator[Text]:
    for row in rows:
        wrong, size = row.statistics.nonfinite, row.statistics.size
        if wrong:
            yield Text(f"{row.name}: {count(wrong)} of {count(size)} are NaN or infinite", style="bold magenta")


def _spaced(parts: Sequence[RenderableType]) -> Iterator[RenderableType]:
    for part in parts:
        yield Text()
        yield part


def _answer(subject: Subject, top: Sequence[ClassScore]) -> Iterator[RenderableType]:
    parts: dict[str, RenderableType] = {}
    if subject.picture is not None:
        parts["input"] = thumbnail(subject.picture, PICTURE)
    if top:
        parts["most probable"] = class_bars(top)
    if parts:
        grid = Table.grid(padding=(0, 3, 0, 0))
        grid.add_row(*(Text(label, "bold") for label in parts))
        grid.add_row(*parts.values())
        yield Text()
        yield grid
