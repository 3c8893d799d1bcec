"""The networks that come with the package, for a user to start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnncli import bundled
from cnncli.errors import UsageError
from cnncli.files import write_atomic
from cnncli.wording import did_you_mean

SUFFIX = ".yaml"


@dataclass(frozen=True)
class Starter:
    """One bundled configuration; `description` is the first line of the comment that it begins with."""

    name: str
    path: Path
    description: str


def starters() -> tuple[Starter, ...]:
    """All of them, by name."""
    files = [bundled.path("configs", name) for name in bundled.names("configs") if name.endswith(SUFFIX)]
    found = [Starter(path.name.removesuffix(SUFFIX), path, _description(path)) for path in files]
    return tuple(sorted(found, key=lambda starter: starter.name))


def _description(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip() if first.startswith("#") else ""


def write_starters(names: Sequence[str], directory: str | Path = ".", *, force: bool = False) -> tuple[Path, ...]:
    """Copies the named starters into a directory, under their own names; all or none of them.

    Raises UsageError for an unknown name, and for a file that is already there, unless `force`; OutputError.
    """
    known = {starter.name: starter.path for starter in starters()}
    chosen = [_find(name.removesuffix(SUFFIX), known) for name in names]
    targets = tuple(Path(directory) / path.name for path in chosen)
    present = [str(target) for target in targets if target.exists()]
    if present and not force:
        raise UsageError(f"{', '.join(present)}: already there; give --force to write over, or go to another folder")
    for path, target in zip(chosen, targets, strict=True):
        write_atomic(target, path.read_bytes())
    return targets


def _find(name: str, known: Mapping[str, Path]) -> Path:
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise UsageError(f"there is no starter network {name!r}{hint}")
    return known[name]
