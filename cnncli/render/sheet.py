"""A panel as PNG: a grid of enlarged tiles that can be read back as values."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnncli.render.canvas import BACKGROUND, FAINT, MARGIN, SMALL, Canvas, text_width
from cnncli.render.colors import DEAD, Colors, Limits
from cnncli.render.header import Header
from cnncli.render.labels import limit_labels, panel_notes, panel_title, tile_labels
from cnncli.render.scale import Scale
from cnncli.render.terminal import reduce
from cnncli.render.tiling import Geometry, arrange, grid

if TYPE_CHECKING:
    from cnncli.inspection.views import Panel, PanelsView

Array = NDArray[Any]

LARGEST = 8_000_000
"""Values in one picture; more are reduced."""
ROW = 32
"""Elements of a vector in one row, at least."""
NARROWEST = 360
"""Pixels that there are for text, at least."""


def draw_panel(view: PanelsView, panel: Panel, scale: Scale) -> bytes:
    """The PNG of one panel of a view. `decode` turns it back into the panel's maps."""
    limits = scale.limits(view, panel)
    shrunk = _shrunk(panel.maps)
    maps = reduce(panel.maps, shrunk)
    labels = tile_labels(panel)
    tiles = _as_rows(_colors(maps, limits))
    notes = [f"scale {scale.describe(panel, limits)}", *panel_notes(panel, shrunk)]
    geometry = arrange(tiles, max(text_width(label, SMALL) for label in labels))
    width = max(geometry.size[1], NARROWEST)
    header = Header(view.subject, " · ".join(panel_title(panel)), notes, width)
    geometry = replace(geometry, top=header.height + MARGIN)
    canvas = Canvas(width + 2 * MARGIN, geometry.top + geometry.size[0] + MARGIN)
    widest = scale.widest(limits)
    header.draw(canvas, widest, limit_labels(widest, same=scale.mode != "map"))
    canvas.paste(grid(tiles, geometry), geometry.left, geometry.top)
    for label, top, left in zip(labels, *(corner.tolist() for corner in geometry.corners()), strict=True):
        name, bracket, ends = label.partition(" [")
        canvas.text(left, top + 2, name, SMALL)
        canvas.text(left + text_width(name, SMALL), top + 2, bracket + ends, SMALL, FAINT)
    return canvas.png(_texts(view, panel, scale, limits, geometry, maps.shape))


def decode(png: bytes | Path) -> NDArray[np.float64]:
    """The values that a panel's PNG shows, (B, H, W) or (B, K, H, W): to half a colour level, clipped to its limits,
    and nan where they are not finite. What was drawn at 1/2 has half the height and width."""
    image = Image.open(io.BytesIO(png) if isinstance(png, bytes) else png)
    image.load()
    texts = image.text  # type: ignore[attr-defined]
    shape = json.loads(texts["shape"])
    colors = np.asarray(image)[Geometry(**json.loads(texts["geometry"])).pixels()]  # (B, K, height, width, 3)
    ends = zip(*(map(float, texts[key].split(",")) for key in ("vmin", "vmax")), strict=True)
    limits = [Limits(low, high, texts["colormap"]) for low, high in ends]
    values = np.stack([limits[block % len(limits)].decode(colors[block]) for block in range(len(colors))])
    count = math.prod(shape[2:])
    return values.reshape(*shape[:2], -1)[..., :count].reshape(shape if shape[1] > 1 else [shape[0], *shape[2:]])


def _texts(
    view: PanelsView, panel: Panel, scale: Scale, limits: Sequence[Limits], geometry: Geometry, shape: tuple[int, ...]
) -> dict[str, str]:
    distinct = limits if scale.mode == "map" else limits[:1]
    return {
        "vmin": ",".join(repr(each.vmin) for each in distinct),
        "vmax": ",".join(repr(each.vmax) for each in distinct),
        "colormap": limits[0].colormap,
        "scale": str(scale),
        "target": view.subject.target or "none",
        "node": panel.node,
        "what": panel.what,
        "input": view.subject.input,
        "channels": ",".join(map(str, panel.channels)),
        "shape": json.dumps(list(shape)),
        "geometry": json.dumps(asdict(geometry)),
    }


def _shrunk(maps: Array) -> int:
    """By which integer maps that are too many and too big are reduced."""
    return max(math.ceil(math.sqrt(maps.size / LARGEST)), 1) if maps.shape[2] > 1 else 1


def _colors(maps: Array, limits: Sequence[Limits]) -> Colors:
    """(B, K, H, W, 3); maps that are all zero are grey."""
    if len(set(limits)) == 1:
        colors = limits[0].colors(maps)
    else:
        colors = np.stack([each.colors(block) for each, block in zip(limits, maps, strict=True)])
    colors[~maps.any(axis=(2, 3))] = DEAD
    return colors


def _as_rows(colors: Colors) -> Colors:
    """A vector (1, 1, 1, F, 3) broken into rows, the last filled up with background."""
    blocks, tiles, height, width = colors.shape[:4]
    if height > 1 or width <= ROW or blocks * tiles > 1:
        return colors
    columns = max(ROW, math.ceil(math.sqrt(width)))
    rows = -(-width // columns)
    filled = np.full((rows * columns, 3), BACKGROUND, np.uint8)
    filled[:width] = colors[0, 0, 0]
    return filled.reshape(1, 1, rows, columns, 3)
