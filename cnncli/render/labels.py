"""What is written beside a picture, in the terminal and in a PNG alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnncli.render.colors import Limits, extent
from cnncli.render.scale import ScaledRow
from cnncli.render.text import count, number
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.subject import Subject
    from cnncli.inspection.views.board import Row, Tile

INDEXED = 32
"""Up to so many numbers of a vector have their indices beside them."""

Label = tuple[str, str]
"""What a tile is, and the range of its numbers."""


def facts(subject: Subject) -> list[tuple[str, str]]:
    """What is known of the subject, by name."""
    known = {name: getattr(subject, name) for name in ("input", "true", "predicted", "target")}
    if subject.samples > 1 and (subject.true or subject.predicted):  # which are those of a single one
        known["input"] = f"{subject.input} (number {subject.sample + 1} of {subject.samples:,})"
    return [(name, value) for name, value in known.items() if value]


def row_facts(scaled: ScaledRow, shrunk: Sequence[int]) -> list[str]:
    """The scale, how many of the channels are seen, and whether as they are; `shrunk`: each tile by what integer."""
    return [*([f"scale {scaled.scale}"] if scaled.scale else []), *_seen(scaled.row), *_shrinkage(scaled.row, shrunk)]


def _seen(row: Row) -> list[str]:
    seen = []
    tiles = [tile for tile in row.tiles if tile.channel is not None]
    if tiles:
        shown = len(tiles)
        noun = "filter" if tiles[0].values.ndim == 3 or "weight" in row.what else "map"
        ordered = ", strongest first" if row.ranked and shown > 1 else ""
        of_all = "" if shown == row.total else f"{shown} of "
        seen.append(f"{of_all}{plural(row.total, noun)}{ordered}")
    inside = max((len(tile.values) for tile in tiles if tile.values.ndim == 3), default=1)
    if inside < row.inside:
        seen.append(f"the {inside} strongest of {count(row.inside)} input channels")
    if row.statistics and row.statistics.nonfinite:
        seen.append(f"{count(row.statistics.nonfinite)} of {count(row.statistics.size)} NaN or infinite (magenta)")
    return seen


def _shrinkage(row: Row, shrunk: Sequence[int]) -> list[str]:
    by = max(shrunk, default=1)
    if by == 1:
        return []
    vector = row.tiles[shrunk.index(by)].values.shape[-2] == 1
    return [f"shown at 1/{by} (means of {by if vector else f'{by}x{by} blocks'})"]


def tile_label(tile: Tile, *, can_die: bool) -> Label:
    """`c07` and `[-1.2, 3.4]`, its least and largest value; of a picture only what it is. `can_die`: as of a row."""
    if tile.is_picture:
        return tile.label, ""
    values = tile.values
    finite = np.isfinite(values)
    if not values.any():
        return tile.label, "dead" if can_die else "all 0"
    if not finite.any():
        return tile.label, "not finite"
    low, high = (number(end, 2) for end in extent(values))
    return tile.label, f"[{low}, {high}]" + ("" if finite.all() else " + NaN")


def bar_labels(scaled: ScaledRow) -> tuple[str, ...]:
    """The ends of a row's colour bar, and the zero between them where there is one."""
    limits: Limits = scaled.widest
    if limits.colormap == "diverging" and limits.vmin < 0 < limits.vmax:
        return ("-max|x|", "0", "max|x|") if scaled.each else (number(limits.vmin), "0", number(limits.vmax))
    return ("0", "max") if scaled.each else (number(limits.vmin), number(limits.vmax))
