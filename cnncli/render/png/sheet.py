"""A page of a board as PNG: enlarged tiles that can be read back as values."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnncli.render.colors import Limits
from cnncli.render.paging import Page
from cnncli.render.png.band import DrawnRow
from cnncli.render.png.canvas import MARGIN, NORMAL, Canvas, line_height, wrap
from cnncli.render.png.header import Bar, Header, thumbnail
from cnncli.render.png.shelf import by_layer, one_below_another, shelved
from cnncli.render.png.tiling import Place
from cnncli.render.scale import Scale, ScaledRow, share_a_bar

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board

Array = NDArray[Any]

NARROWEST = 360
"""Pixels that there are for text, at least."""


def draw_page(board: Board, page: Page, scale: Scale) -> bytes:
    """The PNG of one page of a board. `decode` turns it back into the values of its tiles."""
    across = page.sheet.across
    rows = [DrawnRow.of(row, small=across) for row in page.rows]
    shelves = shelved(by_layer(rows) if across else [one_below_another(rows, NARROWEST)])
    width = max(NARROWEST, *(shelf.width for shelf in shelves))
    header = _header(board, page, scale, rows, width)
    notes = wrap([*page.sheet.notes, *board.notes], width, NORMAL)
    height = header.height + sum(MARGIN + shelf.height for shelf in shelves) + MARGIN
    canvas = Canvas(width + 2 * MARGIN, height + (len(notes) * line_height(NORMAL) + MARGIN if notes else 0))
    header.draw(canvas)
    places: list[list[Place]] = []
    top = header.height
    for shelf in shelves:
        places += shelf.draw(canvas, top + MARGIN)
        top += MARGIN + shelf.height
    canvas.lines(MARGIN, top + MARGIN, notes, NORMAL)
    return canvas.png(_texts(board, page, scale, rows, places))


def _header(board: Board, page: Page, scale: Scale, rows: Sequence[DrawnRow], width: int) -> Header:
    subject = page.sheet.subject or board.subject
    colored = [row.scaled for row in rows if row.scaled.scale]
    title, notes, bars = list(page.sheet.title), [], []
    if page.sheet.across:
        notes, bars = [f"scale {scale}"], [Bar(row) for row in _meanings(colored)]
    elif len(rows) == 1:
        title += [rows[0].title] if rows[0].title else []
        notes, bars = rows[0].known, list(map(Bar, colored))
    elif share_a_bar(colored):
        bars = [Bar(colored[0])]
    if page.of > 1:
        title.append(f"page {page.number} of {page.of}")
    shown = any(tile.is_picture for row in page.rows for tile in row.row.tiles)
    picture = None if shown else thumbnail(subject.picture)
    return Header(subject, picture, " · ".join(title or [board.view]), notes, bars, width)


def _meanings(rows: Sequence[ScaledRow]) -> list[ScaledRow]:
    """One for each kind of colours, whose bar has words for ends."""
    kinds = {row.widest.colormap: replace(row, each=True) for row in rows}
    return list(kinds.values())


def decode(png: bytes | Path) -> list[list[NDArray[np.float64]]]:
    """The values that the tiles of each row show, (H, W) or (K, H, W): to half a colour level, clipped to their limits,
    and nan where they are not finite. What was drawn at 1/2 has half the height and width; pictures are left out."""
    image = Image.open(io.BytesIO(png) if isinstance(png, bytes) else png)
    image.load()
    texts = image.text  # type: ignore[attr-defined]
    pixels = np.asarray(image)
    ends = (
        [[float(end) for end in row.split(",") if end] for row in texts[key].split("; ")] for key in ("vmin", "vmax")
    )
    rows = []
    for tiles, vmin, vmax, colormap in zip(
        json.loads(texts["geometry"]), *ends, texts["colormap"].split("; "), strict=True
    ):
        limits = [Limits(low, high, colormap) for low, high in zip(vmin, vmax, strict=True)]
        limits = limits if len(limits) == len(tiles) else limits * len(tiles)
        rows.append(
            [_values(pixels, shape, place, of_tile) for (shape, place), of_tile in zip(tiles, limits, strict=False)]
        )
    return rows


def _values(pixels: Array, shape: Sequence[int], place: Sequence[int], limits: Limits) -> NDArray[np.float64]:
    values = limits.decode(pixels[Place(*place).centres()])
    return values.reshape(-1)[: int(np.prod(shape))].reshape(shape)


def _texts(
    board: Board, page: Page, scale: Scale, rows: Sequence[DrawnRow], places: Sequence[Sequence[Place]]
) -> dict[str, str]:
    """What the file says of itself; what is of each row stands in the order of the rows, with semicolons between."""
    subject = page.sheet.subject or board.subject
    distinct = [_distinct(row) for row in page.rows]
    of_rows = {
        "vmin": [",".join(repr(each.vmin) for each in limits) for limits in distinct],
        "vmax": [",".join(repr(each.vmax) for each in limits) for limits in distinct],
        "colormap": [limits[0].colormap if limits else "none" for limits in distinct],
        "node": [row.row.node for row in page.rows],
        "what": [row.row.what for row in page.rows],
        "channels": [",".join(map(str, row.row.channels)) for row in page.rows],
    }
    geometry = [
        [(tile.shape, astuple(place)) for tile, place in zip(row.tiles, of_row, strict=True) if tile.shape is not None]
        for row, of_row in zip(rows, places, strict=True)
    ]
    return {
        **{key: "; ".join(texts) for key, texts in of_rows.items()},
        "scale": str(scale),
        "target": subject.target or "none",
        "input": subject.input,
        "geometry": json.dumps(geometry, separators=(",", ":")),
    }


def _distinct(row: ScaledRow) -> list[Limits]:
    """Those of every tile that is decoded, or the one of all."""
    pairs = list(zip(row.row.tiles, row.limits, strict=True))
    if row.each:
        return [limits for tile, limits in pairs if not tile.is_picture]
    return [limits for tile, limits in pairs if tile.numbers is not None][:1]
