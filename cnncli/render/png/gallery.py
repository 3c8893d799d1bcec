"""Pictures as files: one PNG a page of a sheet, and a manifest that lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnncli.files import write_atomic
from cnncli.render.document import plain
from cnncli.render.labels import facts
from cnncli.render.paging import Page, pages
from cnncli.render.png.sheet import draw_page
from cnncli.render.scale import Scale, ScaledRow, scaled

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board, Sheet


def save_board(board: Board, out: Path, scale: Scale | None = None, *, npy: bool = False) -> list[Path]:
    """Writes `out/<view>/<stem>.png` for every sheet, with `npy` the tensors of its rows as .npy beside it, and
    manifest.json, in which the pictures that were there before stay; returns their paths, the manifest last. Raises
    OutputError."""
    scale = scale or Scale()
    folder = out / board.view
    entries, paths = [], []
    for sheet in board.sheets:
        arrays = _save_arrays(sheet, folder) if npy else []
        for page in pages(sheet, scaled(board, sheet, scale)):
            paths.append(folder / f"{file_name(page.stem)}.png")
            write_atomic(paths[-1], draw_page(board, page, scale))
            entries.append(_entry(board, page, scale, paths[-1], arrays))
        paths += arrays
    paths.append(folder / "manifest.json")
    entries = _merged(_earlier(paths[-1]), entries)
    write_atomic(paths[-1], json.dumps(plain({"view": board.view, "files": entries}), indent=2) + "\n")
    return paths


def _earlier(path: Path) -> list[dict[str, Any]]:
    """What a manifest that is there already tells of pictures that are still there; nothing if it is none of ours."""
    try:
        entries = json.loads(path.read_bytes())["files"]
        return [entry for entry in entries if (path.parent / entry["file"]).is_file()]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _merged(earlier: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One for each file, the later."""
    return list({entry["file"]: entry for entry in (*earlier, *entries)}.values())


def file_name(stem: str) -> str:
    """Without what some file system does not like."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", stem)


def _save_arrays(sheet: Sheet, folder: Path) -> list[Path]:
    """The tensor of each row that has one; several rows are numbered."""
    several = len(sheet.rows) > 1
    paths = []
    for number, row in enumerate(sheet.rows, start=1):
        if row.array is not None:
            paths.append(folder / f"{file_name(sheet.stem)}{f'_r{number}' if several else ''}.npy")
            write_atomic(paths[-1], partial(_write_npy, row.array))
    return paths


def _write_npy(array: NDArray[Any], file: BinaryIO) -> None:
    np.save(file, array, allow_pickle=False)


def _entry(board: Board, page: Page, scale: Scale, path: Path, arrays: list[Path]) -> dict[str, Any]:
    sheet = page.sheet
    notes = [*sheet.notes, *board.notes]
    return {
        "file": path.name,
        **({"title": sheet.title} if sheet.title else {}),
        **dict(facts(sheet.subject or board.subject)),
        "scale": str(scale),
        "rows": list(map(_row_entry, page.rows)),
        **({"notes": notes} if notes else {}),
        **({"arrays": [array.name for array in arrays]} if arrays else {}),
    }


def _row_entry(scaled: ScaledRow) -> dict[str, Any]:
    row, limits = scaled.row, scaled.limits if scaled.each else scaled.limits[:1]
    return {
        "node": row.node,
        "type": row.type,
        "what": row.what,
        "shape": row.shape,
        "tiles": [tile.label for tile in row.tiles],
        "channels": row.channels,
        "of_channels": row.total,
        "vmin": [each.vmin for each in limits],
        "vmax": [each.vmax for each in limits],
        "colormap": limits[0].colormap,
        "nonfinite": row.statistics.nonfinite if row.statistics else 0,
        "notes": row.notes,
    }
