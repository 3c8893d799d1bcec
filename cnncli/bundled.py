"""Finds the sample data and the starter configurations that come with the package.

The wheel carries them as `cnncli/_bundled/{samples,configs}`; in a source checkout (or an editable
installation) they are the repository's folders of the same names, beside the package.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal

from cnncli.errors import UsageError
from cnncli.wording import did_you_mean

Kind = Literal["samples", "configs"]

_PACKAGE = Path(__file__).resolve().parent


def path(kind: Kind, name: str) -> Path:
    """The file or folder `name` (with / between folders) of that kind. Raises UsageError if there is none."""
    root = _root(kind)
    inside = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
    found = root / name
    if not name or not inside or not found.exists():
        hint = did_you_mean(name, names(kind)) or f"; there are: {', '.join(names(kind))}"
        raise UsageError(f"the package has no {kind} file {name!r}{hint}")
    return found


def names(kind: Kind) -> tuple[str, ...]:
    """Every file of that kind, sorted, as `path` takes it."""
    root = _root(kind)
    files = (file.relative_to(root) for file in root.rglob("*") if file.is_file())
    return tuple(sorted(file.as_posix() for file in files if not any(map(_clutter, file.parts))))


def _clutter(part: str) -> bool:
    return part.startswith(".") or part == "__pycache__"


def _root(kind: Kind) -> Path:
    installed = _PACKAGE / "_bundled" / kind
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent
    # Without this file beside it, the parent is some site-packages, whose folders are other people's.
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    raise UsageError(f"this installation of cnncli is incomplete: it has no {kind}; install it again")
