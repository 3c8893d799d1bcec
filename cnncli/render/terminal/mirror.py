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

from cnncli.render.colors import Limits
from cnncli.render.pixels import enlarge, reduce, reduction
from cnncli.render.scale import extent
from cnncli.render.terminal.raster import NEGATIVE_RAMP, RAMP, Bars, Raster, color_system
from cnncli.render.text import number, percent, plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views import BackwardView, ParameterRow
    from cnncli.inspection.views.flow import GradientRow

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
        for line in _legend(tile, plain=color_system(console, options) is None):
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
        maps = self.row.maps.shape
        room = tiles * (tile + 1) - 1
        cells = list(self._vector(tile, room) if maps[:2] == (1, 1) else self._maps(tile, tiles))
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
    def _both(self) -> tuple[Array, Array]:
        return self.row.activation, self.row.values

    def _vector(self, tile: int, room: int) -> Iterator[list[RenderableType]]:
        """A vector as bars; its weights as one map."""
        yield [Text(plural(self.row.values.size, "number"), "dim")]
        for values, signed in zip(self._both, (False, True), strict=True):
            line = reduce(values.reshape(1, 1, -1), reduction((1, values.size), 1, room))[0, 0]
            yield [Bars(line, _limits(line, signed=signed))]
        for weight in self.weights:
            matrix = weight.values.reshape(len(weight.values), -1)
            small = reduce(matrix, reduction(matrix.shape, tile, room))
            yield [Raster.of_map(small, _limits(small, signed=True))]

    def _maps(self, tile: int, tiles: int) -> Iterator[list[RenderableType]]:
        shape = self.row.maps.shape
        named = shape[0] == self.row.shape[0]
        channels = self.row.ranked[:tiles]
        yield [Text(_name(channel, shape[0]) if named else "") for channel in channels]
        for values, signed in zip(self._both, (False, True), strict=True):
            small = reduce(values.reshape(shape), reduction(shape, tile, tile))
            limits = _limits(small, signed=signed)
            yield [Raster.of_map(_enlarged(small[channel], tile), limits) for channel in channels]
        for weight in self.weights:
            yield [*_filters(weight.values, channels)]


def _filters(weight: Array, channels: Sequence[int]) -> Iterator[RenderableType]:
    """Of the filter of each channel the strongest map, with its number where there are several."""
    maps = weight if weight.ndim == 4 else weight.reshape(len(weight), 1, 1, -1)  # (O, I, h, w)
    small = reduce(maps, reduction(maps.shape, SMALLEST, SMALLEST))
    limits = _limits(small, signed=True)
    for channel in channels:
        inside = int(np.abs(small[channel]).sum(axis=(1, 2)).argmax())
        raster = Raster.of_map(_enlarged(small[channel, inside], SMALLEST), limits)
        yield raster if maps.shape[1] == 1 else Group(Text(f"of {_name(inside, maps.shape[1])}", "dim"), raster)


def _name(channel: int, total: int) -> str:
    return f"c{channel:0{max(len(str(total - 1)), 2)}d}"


def _ends(values: Array) -> str:
    low, high = extent(values)
    return f"[{number(low, 3)}, {number(high, 3)}]"


def _enlarged(values: Array, tile: int) -> Array:
    return enlarge(values, max(tile // max(values.shape), 1))


def _limits(values: Array, *, signed: bool) -> Limits:
    low, high = extent(values)
    return Limits.of(low, high, signed=signed or low < 0)


def _legend(tile: int, *, plain: bool) -> Iterator[str]:
    """What the colours or characters mean, and how the maps are chosen."""
    yield "channels by falling mean |a dL/da|: what the objective would change without them"
    both = f"'{RAMP}' from 0 up, '{NEGATIVE_RAMP[::-1]}' below" if plain else "blue - white 0 red +"
    never = "" if plain else "; never negative: violet 0 to yellow"
    yield f"scale layer: {both}{never}"
    yield f"larger than {tile}x{tile}: means of blocks; of each filter the strongest map"
