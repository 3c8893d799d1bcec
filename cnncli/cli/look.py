"""What the commands that look into a network have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cnncli.cli.failures import FAILED, complain
from cnncli.cli.output import note

if TYPE_CHECKING:
    from cnncli.inspection.views import PanelsView


def note_stand_in(given: Sequence[str] | None, taken: Sequence[str]) -> None:
    """Tells which inputs were taken where none was given."""
    if not given:
        note(f"no --input is given: this is {', '.join(dict.fromkeys(taken))}")


def fail_if_nonfinite(places: Sequence[str]) -> None:
    """Ends the command with exit code 1 if numbers at these places are not finite."""
    if places:
        first, *others = places
        complain(f"NaN or infinity in {first}" + (f", then in {', '.join(others)}" if others else ""))
        raise typer.Exit(FAILED)


def write_pictures(view: PanelsView, out: Path) -> None:
    """PNG files under `out`."""
    from cnncli.render.gallery import save_panels

    *files, _ = save_panels(view, out)
    note(f"wrote {len(files)} pictures into {files[0].parent}")
