"""Where the tiles of a picture stand, and all of them put together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.canvas import BACKGROUND, MARGIN, SMALL, line_height
from cnncli.render.colors import Colors

Array = NDArray[Any]

GUTTER = 2
"""Pixels between tiles."""
FILTER_GUTTER = 10
"""Pixels between filters of several tiles."""
LABEL = line_height(SMALL) + 1
"""Pixels above a block for its label."""
INNER_COLUMNS = 16
"""Tiles of a filter in one row, at most."""
INNER_TILE = 32
"""Pixels a side of the tiles of a filter, at least."""
TILE_WIDTHS = (16, 112), (64, 84)
"""Up to so many tiles, each is at least so many pixels wide; if there are more, as wide as their labels."""
SINGLE, SINGLE_BROAD = 224, 480
"""The width of a single tile; that of one much broader than high."""
TALLEST = 1600
"""The height of a single tile in pixels, unless it has more rows."""


@dataclass(frozen=True)
class Geometry:
    """Where the tiles stand: `blocks` of `tiles` each, of height x width values, every value factor x factor pixels.

    A picture carries it along, so that the values can be found in it.
    """

    blocks: int
    tiles: int
    height: int
    width: int
    factor: int
    inner_columns: int
    columns: int
    gap: int
    left: int = MARGIN
    top: int = 0
    gutter: int = GUTTER
    label: int = LABEL

    @property
    def block(self) -> tuple[int, int]:
        """Height and width in pixels, the label included."""
        rows = -(-self.tiles // self.inner_columns)
        height = rows * (self.height * self.factor + self.gutter) - self.gutter
        width = self.inner_columns * (self.width * self.factor + self.gutter) - self.gutter
        return self.label + height, width

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the whole grid in pixels."""
        height, width = self.block
        rows = -(-self.blocks // self.columns)
        return rows * (height + self.gap) - self.gap, self.columns * (width + self.gap) - self.gap

    def corners(self) -> tuple[Array, Array]:
        """The top and the left pixel of every block, (B,)."""
        height, width = self.block
        block = np.arange(self.blocks)
        down, right = divmod(block, self.columns)
        return self.top + down * (height + self.gap), self.left + right * (width + self.gap)

    def pixels(self) -> tuple[Array, Array]:
        """One pixel of every value: its row (B, K, height, 1) and column (B, K, 1, width)."""
        tops, lefts = self.corners()
        tile = np.arange(self.tiles)
        tile_top = self.label + tile // self.inner_columns * (self.height * self.factor + self.gutter)
        tile_left = tile % self.inner_columns * (self.width * self.factor + self.gutter)
        rows = tops[:, None, None] + tile_top[:, None] + np.arange(self.height) * self.factor
        columns = lefts[:, None, None] + tile_left[:, None] + np.arange(self.width) * self.factor
        return rows[..., None], columns[..., None, :]


def arrange(tiles: Colors, label_width: int) -> Geometry:
    """Tiles (B, K, height, width, 3) large enough for their labels, in about a square; `label_width` in pixels."""
    blocks, inside, height, width = tiles.shape[:4]
    inner = min(inside, INNER_COLUMNS)
    if inside > 1:
        fitting = -(-(label_width - inner * GUTTER) // (inner * width))
        factor = max(-(-INNER_TILE // max(height, width)), fitting, 1)
        single = Geometry(blocks, inside, height, width, factor, inner, 1, FILTER_GUTTER)
        columns = max(round(math.sqrt(blocks * single.block[0] / single.block[1])), 1)
    else:
        wanted = max(label_width, _tile_width(blocks, height, width))
        factor = max(min(-(-wanted // width), TALLEST // height if blocks == 1 else wanted), 1)
        columns = math.ceil(math.sqrt(blocks))
    gap = FILTER_GUTTER if inside > 1 else GUTTER
    return Geometry(blocks, inside, height, width, factor, inner, columns, gap)


def _tile_width(blocks: int, height: int, width: int) -> int:
    """How many pixels wide a tile should at least be: the fewer there are, the wider."""
    if blocks == 1:
        return SINGLE_BROAD if width > 4 * height else SINGLE
    return next((pixels for most, pixels in TILE_WIDTHS if blocks <= most), 0)


def grid(tiles: Colors, geometry: Geometry) -> Colors:
    """All blocks, with space for their labels, as one picture (H, W, 3)."""
    large = tiles.repeat(geometry.factor, axis=2).repeat(geometry.factor, axis=3)
    blocks = _mosaic(large, geometry.inner_columns, geometry.gutter)  # (B, h, w, 3)
    labelled = np.empty((len(blocks), *geometry.block, 3), np.uint8)
    labelled[:, : geometry.label] = BACKGROUND
    labelled[:, geometry.label :] = blocks
    return _mosaic(labelled, geometry.columns, geometry.gap)


def _mosaic(images: Colors, columns: int, gap: int) -> Colors:
    """Pictures (..., n, h, w, 3) in rows of `columns`, as one picture (..., H, W, 3)."""
    *front, n, h, w, _ = images.shape
    rows = -(-n // columns)
    cells = np.empty((*front, rows, columns, h + gap, w + gap, 3), np.uint8)
    cells[...] = BACKGROUND
    cells.reshape(*front, rows * columns, h + gap, w + gap, 3)[..., :n, :h, :w, :] = images
    joined = np.moveaxis(cells, -3, -4).reshape(*front, rows * (h + gap), columns * (w + gap), 3)
    return joined[..., : joined.shape[-3] - gap, : joined.shape[-2] - gap, :]
