"""Films as animated GIF or WebP: the maps of a layer's channels, with the step written into each frame.

A frame is made of the numbers of colours, so that no library chooses other ones. A lossless WebP has every level of the
colour map; a GIF has room for 256 colours, and of the levels for all but a few, evenly left out.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnncli.files import write_atomic
from cnncli.render.colors import DEAD, NOT_FINITE, Limits, extent
from cnncli.render.png.canvas import (
    BACKGROUND,
    INK,
    LARGE,
    MARGIN,
    NORMAL,
    SMALL,
    drawable,
    font,
    line_height,
    text_width,
)
from cnncli.render.png.gallery import file_name
from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views.evolution import Film

Array = NDArray[Any]
Cells = NDArray[np.uint16]
"""(H, W) numbers of colours."""
Format = Literal["gif", "webp"]

MILLISECONDS, LAST = 120, 1500
"""How long a frame is shown, and the last one."""
NARROWEST = 260
"""Pixels that there are for text, at least."""
TILE = 84
"""Pixels that a tile is wide, at least."""
GAP, INNER = 8, 2
"""Pixels between tiles, and between the maps of a filter."""
SHADES = 4
"""Of text, from the background to the ink."""
PROGRESS = 3
"""Pixels of the height of the line that says how far the training is."""


def save_films(films: Iterable[Film], out: Path, formats: Sequence[Format]) -> list[Path]:
    """Writes `out/evolution/<stem>.gif` and `.webp` of each film that has maps. Raises OutputError."""
    paths = []
    for film in films:
        if not film.is_vector:
            drawn = _Drawn(film)
            for kind in formats:
                paths.append(out / "evolution" / f"{file_name(film.stem)}.{kind}")
                write_atomic(paths[-1], drawn.gif() if kind == "gif" else drawn.webp())
    return paths


class _Drawn:
    """A film with the place of everything on its frames."""

    def __init__(self, film: Film) -> None:
        self.film = film
        ends = [extent(film.frames[:, channel]) for channel in range(len(film.names))]
        self.limits = [Limits.of(*pair, signed=film.signed) for pair in ends]
        self.levels = len(self.limits[0].table)
        self.labels = [_label(name, limits) for name, limits in zip(film.names, self.limits, strict=True)]
        self.tiles = self._tiles()  # (T, C, H, W)
        label = max(text_width(text, SMALL) for text in self.labels)
        self.factor = max(-(-max(label, TILE) // self.tiles.shape[3]), 1)
        self.columns = math.ceil(math.sqrt(len(self.labels)))
        self.cell = (
            self.tiles.shape[2] * self.factor + line_height(SMALL) + GAP,
            max(self.tiles.shape[3] * self.factor, label) + GAP,
        )
        about = [film.subject.input, film.subject.true and f"true: {film.subject.true}"]
        self.title = " · ".join([*film.title, *filter(None, about)])
        self.top = MARGIN + line_height(LARGE) + line_height(NORMAL) + PROGRESS + MARGIN
        self.width = 2 * MARGIN + max(self.columns * self.cell[1] - GAP, text_width(self.title, LARGE), NARROWEST)
        self.height = self.top + -(-len(self.labels) // self.columns) * self.cell[0] - GAP + MARGIN

    def gif(self) -> bytes:
        """The frames with a palette of their own."""
        extras = len(self._palette()) - self.levels
        kept = min(256 - extras, self.levels) // 2 * 2 - 1  # odd: 0 stays in the middle
        chosen = np.rint(np.linspace(0, self.levels - 1, kept)).astype(int)
        nearest = np.rint(np.arange(self.levels) * (kept - 1) / (self.levels - 1))
        mapping = np.concatenate([nearest, kept + np.arange(extras)]).astype(np.uint8)
        palette = np.concatenate([self._palette()[chosen], self._palette()[self.levels :]])
        images = []
        for frame in self._frames():
            image = Image.fromarray(mapping[frame])
            image.putpalette(palette.tobytes())
            images.append(image)
        return self._saved(images, "GIF", optimize=False, disposal=1)

    def webp(self) -> bytes:
        """The frames as they are."""
        images = [Image.fromarray(self._palette()[frame]) for frame in self._frames()]
        return self._saved(images, "WEBP", lossless=True, quality=0, method=0)

    def _saved(self, images: Sequence[Image.Image], kind: str, **options: Any) -> bytes:
        file = io.BytesIO()
        duration = [MILLISECONDS] * (len(images) - 1) + [LAST]
        images[0].save(file, kind, save_all=True, append_images=images[1:], duration=duration, loop=0, **options)
        return file.getvalue()

    def _palette(self) -> NDArray[np.uint8]:
        """The colour map, what is dead, what is not finite, and from the background to the ink."""
        shades = np.linspace(BACKGROUND, INK, SHADES + 1)
        return np.concatenate([self.limits[0].table, [DEAD], [NOT_FINITE], np.rint(shades)]).astype(np.uint8)

    @property
    def _ground(self) -> int:
        """The number of the background's colour; those of the text follow."""
        return self.levels + 2

    def _tiles(self) -> Cells:
        """Every frame's channels, the maps of a filter in about a square."""
        values = self.film.frames if self.film.frames.ndim == 5 else self.film.frames[:, :, None]
        cells = np.stack([limits.indices(values[:, c]) for c, limits in enumerate(self.limits)], axis=1)
        cells = cells.astype(np.uint16)  # (T, C, K, h, w)
        if self.film.what == "activation":
            cells[~values.any(axis=(3, 4))] = self.levels
        cells[~np.isfinite(values)] = self.levels + 1
        times, channels, inside, height, width = cells.shape
        columns = math.ceil(math.sqrt(inside))
        rows = -(-inside // columns)
        gap = INNER if inside > 1 else 0
        tiles = np.full((times, channels, rows * (height + gap) - gap, columns * (width + gap) - gap), self._ground)
        for each in range(inside):
            top, left = each // columns * (height + gap), each % columns * (width + gap)
            tiles[:, :, top : top + height, left : left + width] = cells[:, :, each]
        return tiles.astype(np.uint16)

    def _frames(self) -> Iterable[Cells]:
        """(H, W), one after the other."""
        still = np.full((self.height, self.width), self._ground, np.uint16)
        self._write(still, MARGIN, MARGIN, self.title, LARGE)
        for text, (top, left) in zip(self.labels, self._corners(), strict=True):
            self._write(still, left, top, text, SMALL)
        for step, tiles in zip(self.film.steps, self.tiles, strict=True):
            frame = still.copy()
            top = MARGIN + line_height(LARGE)
            self._write(frame, MARGIN, top, f"step {step:,}", NORMAL)
            top += line_height(NORMAL)
            share = step / max(self.film.steps[-1], 1)
            frame[top : top + PROGRESS, MARGIN : self.width - MARGIN] = self._ground + 1
            frame[top : top + PROGRESS, MARGIN : MARGIN + round(share * (self.width - 2 * MARGIN))] = (
                self._ground + SHADES
            )
            for tile, (above, left) in zip(tiles, self._corners(), strict=True):
                large = tile.repeat(self.factor, axis=0).repeat(self.factor, axis=1)
                below = above + line_height(SMALL)
                frame[below : below + len(large), left : left + large.shape[1]] = large
            yield frame

    def _corners(self) -> list[tuple[int, int]]:
        """The top and the left pixel of every channel's label."""
        return [
            (self.top + each // self.columns * self.cell[0], MARGIN + each % self.columns * self.cell[1])
            for each in range(len(self.labels))
        ]

    def _write(self, frame: Cells, left: int, top: int, text: str, size: int) -> None:
        """Text in shades, whose edges are as smooth as these allow."""
        mask = Image.new("L", (text_width(text, size) + 1, line_height(size)))
        ImageDraw.Draw(mask).text((0, 0), drawable(text), fill=255, font=font(size))
        shades = np.rint(np.asarray(mask) / 255 * SHADES).astype(np.uint16)
        frame[top : top + shades.shape[0], left : left + shades.shape[1]] = self._ground + shades


def _label(name: str, limits: Limits) -> str:
    """c07 [-1.2, 1.2]: the scale, which is the same through the whole film."""
    return f"{name} [{number(limits.vmin, 2)}, {number(limits.vmax, 2)}]".strip()
