"""The mirror in the terminal: the strongest maps of a layer, their gradients, and those of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cnncli.render.colors import Limits, extent
from cnncli.render.pixels import reduce, reduction
from cnncli.render.terminal.bars import indexed
from cnncli.render.terminal.raster import OWN_LINES, SHARED, Raster, color_system, scale_legend, shares_lines
from cnncli.render.text import number, percent
from cnncli.wording import channel_name, plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views.flow import BackwardView, GradientRow, ParameterRow

Array = NDArray[Any]

SMALLEST, LARGEST = 8, 14
"""Pixels a side of a map, at most, in a narrow terminal and in a wide one."""
FEWEST, WANTED, MOST = 3, 6, 8
"""Maps side by side: where fewer would fit there is no mirror; where more than wanted would, they are larger."""
LAYERS = 16
"""So many layers are drawn where there are more."""
GAP = 2
"""Blank columns between the numbers and the maps."""


@dataclass(frozen=True, eq=False)
class Mirror:
    """Nothing where there is no room for it."""

    view: BackwardView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        layers = [_Layer(row, tuple(self.view.weights(row.name))) for row in self.view.telling(LAYERS)]
        numbers = max((layer.width for layer in layers), default=0)
        room = options.max_width - numbers - GAP + 1
        tile = min(max(room // WANTED - 1, SMALLEST), LARGEST)
        tiles = min(room // (tile + 1), MOST)
        if tiles < FEWEST or not layers:
            return
        for layer in layers:
            yield layer.drawn(numbers, tile, tiles)
            yield Text()
        plain = color_system(console, options) is None
        for line in (*_legend(plain=plain), *_reductions(layers, tile, tiles, plain=plain)):
            yield Text(line, "dim")
        every = len(self.view.distinct)
        if len(layers) < every:
            yield Text(f"{len(layers)} of {every} layers are drawn; others by --layer NAME", "dim")
        yield Text()


@dataclass(frozen=True, eq=False)
class _Layer:
    row: GradientRow
    weights: Sequence[ParameterRow]

    @property
    def width(self) -> int:
        """Of the numbers beside the maps."""
        return max(line.cell_len for text in self._texts() for line in text.split("\n"))

    def drawn(self, width: int, tile: int, tiles: int) -> RenderableType:
        """`width` columns for the numbers, then so many maps of at most `tile` pixels a side."""
        cells = list(self._vector(tile, _room(tile, tiles)) if self.is_vector else self._maps(tile, tiles))
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=width + GAP - 1, no_wrap=True)
        for _ in range(max(map(len, cells))):
            grid.add_column(no_wrap=True)
        for place, (text, row) in enumerate(zip(self._texts(), cells, strict=True)):
            if place > 1:
                grid.add_row()  # keeps maps apart
            grid.add_row(text, *row)
        return grid

    def _texts(self) -> Iterator[Text]:
        """What stands left of the maps' names, of the maps, of their gradients, and of those of each weight."""
        row = self.row
        yield Text(row.name, "bold")
        kind = f"{row.type} {shape_text(row.shape)}" if row.type != row.name else shape_text(row.shape)
        yield Text.assemble((kind, "dim"), f"\na       {_ends(row.activation)}")
        zeros = "all zero" if row.statistics.zeros == 1 else f"{percent(row.statistics.zeros)} zero"
        yield Text(f"dL/da   {_ends(row.values)}\nnorm    {number(row.statistics.norm)}\n{zeros}")
        for weight in self.weights:
            name = "dL/dW" if weight.key == "weight" else f"dL/d{weight.key}"
            ratio = "" if weight.ratio is None else f"\n/ |W|   {number(weight.ratio)}"
            yield Text(f"{name}   {_ends(weight.values)}\nnorm    {number(weight.gradient.norm)}{ratio}")

    @property
    def is_vector(self) -> bool:
        """Without channels and places."""
        return self.row.maps.shape[:2] == (1, 1)

    @property
    def filters(self) -> list[Array]:
        """The gradients of the weights as maps (O, I, h, w); beside a vector each is one."""
        if self.is_vector:
            return [weight.values.reshape(1, 1, len(weight.values), -1) for weight in self.weights]
        return [_as_filters(weight.values) for weight in self.weights]

    @property
    def _both(self) -> tuple[Array, Array]:
        return self.row.activation, self.row.values

    def _vector(self, tile: int, room: int) -> Iterator[list[RenderableType]]:
        """A vector as bars; its weights as one map."""
        yield [Text(plural(self.row.values.size, "number"), "dim")]
        for values, signed in zip(self._both, (False, True), strict=True):
            line = reduce(values.reshape(1, 1, -1), reduction((1, values.size), 1, room))[0, 0]
            drawn, _ = indexed(line, _limits(line, signed=signed), room, reduced=values.size > room)
            yield [drawn]
        for weight in self.filters:
            small = reduce(weight, reduction(weight.shape, tile, room))[0, 0]
            yield [Raster.of_map(small, _limits(small, signed=True))]

    def _maps(self, tile: int, tiles: int) -> Iterator[list[RenderableType]]:
        shape = self.row.maps.shape
        named = shape[0] == self.row.shape[0]
        channels = self.row.ranked[:tiles]
        yield [Text(channel_name(channel, shape[0]) if named else "") for channel in channels]
        for values, signed in zip(self._both, (False, True), strict=True):
            small = reduce(values.reshape(shape), reduction(shape, tile, tile))
            limits = _limits(small, signed=signed)
            factor = _factor(small, tile)
            can_die = not signed and bool(self.row.inputs)  # the input has none
            yield [Raster.of_map(small[channel], limits, factor, can_die=can_die) for channel in channels]
        for maps in self.filters:
            yield [*_strongest(maps, channels, tile)]


def _as_filters(weight: Array) -> Array:
    return weight if weight.ndim == 4 else weight.reshape(len(weight), 1, 1, -1)


def _strongest(maps: Array, channels: Sequence[int], tile: int) -> Iterator[RenderableType]:
    """Of the filter (I, h, w) of each channel the strongest map, with its number where there are several."""
    small = reduce(maps, reduction(maps.shape, tile, tile))
    limits = _limits(small, signed=True)
    for channel in channels:
        inside = int(np.abs(small[channel]).sum(axis=(1, 2)).argmax())
        raster = Raster.of_map(small[channel, inside], limits, _factor(small, SMALLEST))
        yield raster if maps.shape[1] == 1 else Group(Text(f"of {channel_name(inside, maps.shape[1])}", "dim"), raster)


def _ends(values: Array) -> str:
    low, high = extent(values)
    return f"[{number(low, 3)}, {number(high, 3)}]"


def _factor(maps: Array, tile: int) -> int:
    """By which maps (..., H, W) are enlarged to about so many pixels a side."""
    side: int = max(maps.shape[-2:])
    return max(tile // side, 1)


def _limits(values: Array, *, signed: bool) -> Limits:
    low, high = extent(values)
    return Limits.of(low, high, signed=signed or low < 0)


def _legend(*, plain: bool) -> Iterator[str]:
    """What the colours or characters mean, and how the maps are chosen."""
    yield "channels by falling mean |a dL/da|: what the objective would change without them"
    yield f"scale layer: {scale_legend(plain=plain)}"


def _room(tile: int, tiles: int) -> int:
    """Columns for so many maps side by side."""
    return tiles * (tile + 1) - 1


def _reductions(layers: Sequence[_Layer], tile: int, tiles: int, *, plain: bool) -> Iterator[str]:
    """What is not seen as it is, if anything is not."""
    room = _room(tile, tiles)
    images = [layer for layer in layers if not layer.is_vector]
    maps = [layer.row.maps.shape for layer in images] + [maps.shape for layer in images for maps in layer.filters]
    matrices = [matrix.shape for layer in layers if layer.is_vector for matrix in layer.filters]
    if any(reduction(shape, tile, tile) > 1 for shape in maps):
        yield f"maps larger than {tile}x{tile}: means of blocks"
    if any(layer.is_vector and layer.row.values.size > room for layer in layers):
        yield f"vectors longer than {room}: means of neighbours"
    if any(reduction(shape, tile, room) > 1 for shape in matrices):
        yield f"matrices larger than {tile}x{room}: means of blocks"
    drawn = [(shape, tile) for shape in maps] + [(shape, room) for shape in matrices]
    if plain and any(shares_lines(-(-shape[-2] // reduction(shape, tile, width)), 1) for shape, width in drawn):
        yield f"more than {OWN_LINES} rows: {SHARED}"
    if any(maps.shape[1] > 1 for layer in images for maps in layer.filters):
        yield "of each filter the strongest map"
