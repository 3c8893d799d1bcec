"""Pictures as files: one PNG a panel, named by its place, and a manifest that lists them."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnncli.files import write_atomic
from cnncli.render.document import plain
from cnncli.render.labels import facts
from cnncli.render.plot import draw_curves
from cnncli.render.scale import Scale
from cnncli.render.sheet import draw_panel

if TYPE_CHECKING:
    from cnncli.inspection.views import CurvesView, Panel, PanelsView


def save_panels(view: PanelsView, out: Path, scale: Scale | None = None, *, npy: bool = False) -> list[Path]:
    """Writes `out/<view>/<idx>_<node>[_c<channel>]__<what>.png` for every panel, with `npy` the whole tensor as .npy
    beside it, and manifest.json; returns their paths, the manifest last. Raises OutputError."""
    scale = scale or Scale()
    folder = out / view.view
    entries, paths = [], []
    for panel in view.panels:
        stem = file_stem(panel)
        paths.append(folder / f"{stem}.png")
        write_atomic(paths[-1], draw_panel(view, panel, scale))
        if npy:
            paths.append(folder / f"{stem}.npy")
            write_atomic(paths[-1], partial(_write_npy, panel.array))
        entries.append(_entry(view, panel, scale, stem, npy=npy))
    manifest = {"view": view.view, **dict(facts(view.subject)), "scale": str(scale), "files": entries}
    paths.append(folder / "manifest.json")
    write_atomic(paths[-1], json.dumps(plain(manifest), indent=2) + "\n")
    return paths


def save_curves(view: CurvesView, out: Path) -> Path:
    """Writes `out/curves.png` and returns its path. Raises OutputError."""
    path = out / "curves.png"
    write_atomic(path, draw_curves(view))
    return path


def file_stem(panel: Panel) -> str:
    """`<idx>_<node>[_c<channel>]__<what>`; the channel only if a single one of several is drawn."""
    digits = max(len(str(panel.total - 1)), 2)
    single = len(panel.channels) == 1 < panel.total
    channel = f"_c{panel.channels[0]:0{digits}d}" if single else ""
    return f"{panel.index:02d}_{re.sub(r'[^A-Za-z0-9._-]', '-', panel.node)}{channel}__{panel.what}"


def _write_npy(array: NDArray[Any], file: BinaryIO) -> None:
    np.save(file, array, allow_pickle=False)


def _entry(view: PanelsView, panel: Panel, scale: Scale, stem: str, *, npy: bool) -> dict[str, Any]:
    limits = scale.limits(view, panel)
    each = scale.mode == "map"
    entry = {
        "file": f"{stem}.png",
        "node": panel.node,
        "type": panel.type,
        "what": panel.what,
        "shape": panel.shape,
        "channels": panel.channels,
        "of_channels": panel.total,
        "vmin": [limit.vmin for limit in limits] if each else limits[0].vmin,
        "vmax": [limit.vmax for limit in limits] if each else limits[0].vmax,
        "colormap": limits[0].colormap,
        "nonfinite": panel.statistics.nonfinite,
    }
    return {**entry, "array": f"{stem}.npy"} if npy else entry
