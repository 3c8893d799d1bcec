"""Pictures side by side, as plain data: what nearly every view is made of.

A board has sheets (a sheet becomes one PNG), a sheet has rows, a row has tiles. The tiles of a sheet with several rows
stand below one another, column by column; a single row is wrapped into about a square. Where a sheet goes `across`, the
rows of each layer stand beside those of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.receptive import Box
from cnncli.inspection.statistics import Statistics
from cnncli.inspection.subject import Subject
from cnncli.wording import channel_name

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture with what is written above it: the label, and of numbers their range.

    `values` are numbers (H, W) to be coloured by a scale; or (K, H, W), the maps of one filter; or bytes (uint8),
    (H, W) or (H, W, 3): a picture as it looks.
    """

    label: str
    values: Array
    channel: int | None = None
    """Which channel of its tensor it is, where it is one: its label then begins with its `channel_name`."""
    over: Array | None = None
    """Numbers (h, w), laid smoothed and half transparent over a picture."""
    boxes: tuple[Box, ...] = ()
    """What is framed, in pixels of `values`."""

    @property
    def is_picture(self) -> bool:
        """Bytes, shown as they are."""
        return self.values.dtype == np.uint8

    @property
    def numbers(self) -> Array | None:
        """What a scale colours: `values`, or what lies over a picture; None where it is nothing but a picture."""
        return self.over if self.is_picture else self.values


@dataclass(frozen=True, eq=False)
class Row:
    """Tiles that belong together, and share one colour scale unless it is asked for otherwise: that of the whole
    tensor's `statistics`, of which only some channels may be drawn."""

    title: tuple[str, ...]
    """What it shows, in parts: ("conv1", "conv2d", "activation", "6x28x28")."""
    what: str
    """What the numbers are, in a word, as in file names: "activation", "gradient", "weight", "saliency"; rows with
    the same word share the scale "net"."""
    tiles: tuple[Tile, ...]
    """At least one."""
    node: str = ""
    """The layer it belongs to, if it does."""
    type: str = ""
    """What kind of layer that is."""
    index: int | None = None
    """Its place in the network; the input has 0."""
    shape: Shape = ()
    """Of the whole tensor."""
    signed: bool = False
    """Blue, white at 0, red; otherwise viridis from 0."""
    statistics: Statistics | None = None
    """Of the whole tensor: its extent is the scale "layer"; None where there are only pictures."""
    total: int = 1
    """How many channels the tensor has; fewer tiles mean that only some are drawn."""
    inside: int = 1
    """How many maps each filter has; fewer may be drawn."""
    ranked: bool = False
    """The tiles are ordered by strength, the strongest first."""
    notes: tuple[str, ...] = ()
    """Printed under the row: checks of an attribution, what was left out."""
    array: Array | None = None
    """The whole tensor, for who wants to save it."""

    scale_of: str = "layer"
    """What it is that the tiles are all of, and their scale "layer" with them, in a word: "channel", "input"."""

    @property
    def can_die(self) -> bool:
        """Whether a map that is all zero is that of a dead unit; elsewhere zeros are numbers like any other."""
        return self.what == "activation" and self.node != INPUT

    @property
    def channels(self) -> tuple[int, ...]:
        """Those that the tiles are."""
        return tuple(tile.channel for tile in self.tiles if tile.channel is not None)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows that are looked at together: one PNG, whose name without the folder and ".png" is `stem`.

    More tiles than one picture has room for are spread over several: `04_conv2_p1__weight`, `04_conv2_p2__weight`.
    """

    stem: str
    rows: tuple[Row, ...]
    title: tuple[str, ...] = ()
    """Of all rows; empty where one row's own says enough."""
    subject: Subject | None = None
    """Whom it is about, where that is not the whole board's."""
    notes: tuple[str, ...] = ()
    across: bool = False
    """An overview of a network: in a PNG, rows of the same `node` that follow one another become a column, with small
    tiles; the columns stand side by side."""


@dataclass(frozen=True, eq=False)
class Board:
    """Pictures of one kind; `view` is its name on the command line: "feature-maps", "saliency"."""

    view: str
    subject: Subject
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()
    """Said once, under all of it."""

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity, in the order of the layers."""
        rows = [row for sheet in self.sheets for row in sheet.rows if row.statistics and row.statistics.nonfinite]
        rows.sort(key=lambda row: row.index or 0)
        return tuple(dict.fromkeys(f"{row.node or row.title[0]} ({row.what})" for row in rows))


def layer_stem(index: int, node: str, what: str, channels: Sequence[int] = (), total: int = 1) -> str:
    """`<idx>_<node>[_c<channel>]__<what>`, a sheet's name; the channel only if a single one of several is drawn."""
    single = len(channels) == 1 < total
    return f"{index:02d}_{node}{f'_{channel_name(channels[0], total)}' if single else ''}__{what}"
