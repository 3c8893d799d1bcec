"""Where pictures go."""

from __future__ import annotations

from pathlib import Path

from cnncli.errors import UsageError


def require_folder(out: Path | None) -> None:
    """To be called before the network is run. Raises UsageError where there is a file in the way; whether the system
    lets us write there is seen when it is done (OutputError)."""
    if out is None:
        return
    there = next((place for place in (out, *out.parents) if place.exists()), None)
    if there is not None and not there.is_dir():
        raise UsageError(f"--out {out}: {there} is a file; expected a folder, which need not be there yet")
