"""The forward and backward tables: a row for each layer, with a strip of its strongest maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cnncli.render.colors import Limits
from cnncli.render.fitted import GAP, Column, Fitted, Heading
from cnncli.render.labels import facts
from cnncli.render.scale import extent
from cnncli.render.terminal import (
    NEGATIVE_RAMP,
    RAMP,
    Bar,
    Bars,
    Raster,
    Strip,
    color_system,
    reduce,
    reduction,
    thumbnail,
)
from cnncli.render.text import count, number, percent, plural, shape_text
from cnncli.render.values import Values

if TYPE_CHECKING:
    from cnncli.inspection.views import BackwardView, ClassScore, ForwardView, LayerRow, ParameterRow, Subject

TILE = 8
"""Pixels a side of a map in a strip, at most."""
FEWEST, MOST = 3, 8
"""Maps in a strip; where fewer would fit, there is no strip."""
PICTURE = 28
"""Pixels a side of the input's picture, at most."""
BAR = 24

Columns = Callable[[Sequence["LayerRow"], bool], list[Column]]


def forward(view: ForwardView, *, values: bool = False) -> RenderableType:
    """What flows forward: the layers, then the most probable classes beside the input."""
    return Group(
        Heading("forward", facts(view.subject), _samples(view.subject)),
        _LayerTable(view.layers, _activation_columns, signed=False),
        *_warnings(view.layers),
        *_spaced([Values(row.name, row.values) for row in view.layers] if values else []),
        *_answer(view.subject, view.top),
    )


def backward(view: BackwardView, *, values: bool = False) -> RenderableType:
    """What flows back: the gradients of the layers' outputs, then those of the parameters."""
    grids: list[Values] = []
    if values:
        grids += [Values(f"dL/d {row.name}", row.values) for row in view.layers]
        grids += [Values(f"dL/d {row.node}.{row.key}", row.values) for row in view.parameters]
    objective = [] if view.objective is None else [("value", number(view.objective))]
    return Group(
        Heading("backward", [*facts(view.subject), *objective], _samples(view.subject)),
        _LayerTable(view.layers, _gradient_columns, signed=True),
        *_warnings(view.layers),
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
class _LayerTable:
    """With strips where there is room for them: names and numbers then take two lines."""

    rows: Sequence[LayerRow]
    columns: Columns
    signed: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(max_width=10_000)
        stacked = self.columns(self.rows, True)
        used = sum(column.width(console, wide) + GAP for column in stacked)
        tiles = min((options.max_width - used + 1) // (TILE + 1), MOST)
        if tiles < FEWEST:
            yield Fitted(self.columns(self.rows, False))
            return
        strips = [self._strip(row, tiles) for row in self.rows]
        yield Fitted([*stacked, Column("strongest maps", strips)])
        plain = color_system(console, options) is None
        yield Text(f"scale layer: {_signs(self.signed, plain=plain)}", style="dim")
        yield Text(f"maps larger than {TILE}x{TILE} are shown as means of blocks", style="dim")

    def _strip(self, row: LayerRow, tiles: int) -> RenderableType:
        vector = len(row.maps) == 1 and row.maps.shape[1] == 1
        side = tiles * (TILE + 1) - 1 if vector else TILE
        maps = reduce(row.maps, reduction(row.maps.shape, side, side))
        limits = Limits.of(*extent(maps), signed=self.signed or row.statistics.min < 0)
        if vector:
            return Group(Bars(maps[0, 0], limits), Text())
        return Group(Strip(tuple(Raster.of_map(maps[index], limits) for index in row.ranked[:tiles])), Text())


def _samples(subject: Subject) -> str:
    if subject.samples == 1:
        return ""
    return f"statistics over {plural(subject.samples, 'sample')}; pictures and values of sample {subject.sample}"


def _signs(signed: bool, *, plain: bool) -> str:
    """What the colours or characters of the strips mean; `signed`: in all of them."""
    both = f"'{RAMP}' from 0 up, '{NEGATIVE_RAMP[::-1]}' below" if plain else "blue - white 0 red +"
    return both if signed or plain else f"violet 0 to yellow, or {both}"


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


def _activation_columns(rows: Sequence[LayerRow], stacked: bool) -> list[Column]:
    if stacked:
        middle = _pairs(_number_columns(rows, ("min", "max", "mean", "std"), (0, 0, 0, 0)))
    else:
        middle = _number_columns(rows, ("min", "mean", "max", "std"), (0, 2, 0, 4))
    return [*_layer_columns(rows, stacked), *middle, _zeros(rows)]


def _gradient_columns(rows: Sequence[LayerRow], stacked: bool) -> list[Column]:
    norm = Column("|dL/da|", [number(row.statistics.norm) for row in rows], right=True)
    ends = _number_columns(rows, ("min", "max"), (2, 2))
    return [*_layer_columns(rows, stacked), norm, *(_pairs(ends) if stacked else ends), _zeros(rows)]


def _zeros(rows: Sequence[LayerRow]) -> Column:
    shares = [row.statistics.zeros for row in rows]
    return Column("zeros", [Text("dead", "yellow") if share == 1 else percent(share) for share in shares], right=True)


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
