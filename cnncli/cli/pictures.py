"""Pictures as files, beside what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnncli.cli.output import note
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board


def require_folder(out: Path | None) -> None:
    """To be called before the network is run. Raises UsageError where there is a file in the way; whether the system
    lets us write there is seen when it is done (OutputError)."""
    if out is None:
        return
    there = next((place for place in (out, *out.parents) if place.exists()), None)
    if there is not None and not there.is_dir():
        raise UsageError(f"--out {out}: {there} is a file; expected a folder, which need not be there yet")


def write_pictures(board: Board, out: Path) -> list[Path]:
    """PNG files under `out`, and a manifest that lists them, the last of their paths. Raises OutputError."""
    from cnncli.render.png.gallery import save_board
    from cnncli.wording import plural

    files = save_board(board, out)
    note(f"wrote {plural(len(files) - 1, 'picture')} into {files[0].parent}")
    return files
