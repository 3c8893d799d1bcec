"""What is written beside a picture, in the terminal and in a PNG alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.scale import extent
from cnncli.render.text import count, number, plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views import Panel, Subject
    from cnncli.render.colors import Limits


def facts(subject: Subject) -> list[tuple[str, str]]:
    """What is known of the subject, by name."""
    known = [(name, getattr(subject, name)) for name in ("input", "true", "predicted", "target")]
    return [(name, value) for name, value in known if value]


def panel_title(panel: Panel) -> list[str]:
    """Layer, its type, what of it is shown, and the shape."""
    return list(dict.fromkeys([panel.node, panel.type, panel.what, shape_text(panel.shape)]))


def panel_notes(panel: Panel, shrunk: int) -> list[str]:
    """How many of the channels are seen and whether as they are."""
    notes = []
    if panel.channels:
        shown = len(panel.channels)
        noun = "map" if panel.maps.shape[1] == 1 and "weight" not in panel.what else "filter"
        ordered = ", strongest first" if panel.ranked and shown > 1 else ""
        of_all = "" if shown == panel.total else f"{shown} of "
        notes.append(f"{of_all}{plural(panel.total, noun)}{ordered}")
    if panel.maps.shape[1] < panel.inside:
        notes.append(f"the {panel.maps.shape[1]} strongest of {count(panel.inside)} input channels")
    if shrunk > 1:
        block = str(shrunk) if panel.maps.shape[2] == 1 else f"{shrunk}x{shrunk} blocks"
        notes.append(f"shown at 1/{shrunk} (means of {block})")
    if panel.statistics.nonfinite:
        notes.append(f"{count(panel.statistics.nonfinite)} of {count(panel.statistics.size)} NaN or infinite (magenta)")
    return notes


def tile_labels(panel: Panel) -> list[str]:
    """For every block `c07 [-1.2, 3.4]`: the channel and its least and largest value."""
    digits = max(len(str(panel.total - 1)), 2)
    names = [f"c{channel:0{digits}d} " for channel in panel.channels] or [""]
    return [name + _range(block) for name, block in zip(names, panel.maps, strict=True)]


def _range(values: NDArray[Any]) -> str:
    finite = np.isfinite(values)
    if not values.any():
        return "dead"
    if not finite.any():
        return "not finite"
    low, high = (number(end, 2) for end in extent(values))
    return f"[{low}, {high}]" + ("" if finite.all() else " + NaN")


def limit_labels(limits: Limits, *, same: bool) -> tuple[str, ...]:
    """The ends of a colour bar, and the zero between them where there is one; `same`: for all tiles."""
    if limits.colormap == "diverging" and limits.vmin < 0 < limits.vmax:
        return (number(limits.vmin), "0", number(limits.vmax)) if same else ("-max|x|", "0", "max|x|")
    return (number(limits.vmin), number(limits.vmax)) if same else ("0", "max")
