"""What every reader of files needs: clear errors for paths, and a bound on memory."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnncli.errors import DataError

_MEMORY_WHERE_UNKNOWN = 8 << 30


def show(path: Path | str) -> str:
    """A path or name for a message: whatever cannot be printed (escape codes, broken encoding) is escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(path))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suffix for a message: the nearest of the known names, or nothing where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{show(near[0])}'?" if near else ""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the operating system answers into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{show(path)}: cannot be read: {error.strerror or error}") from error


def existing_file(path: Path) -> Path:
    """The path, if it is a regular file (a pipe or a device could keep us waiting forever)."""
    with reading(path):
        if path.is_file():
            return path
        if path.is_dir():
            raise DataError(f"{show(path)}: is a folder; expected a file")
        if path.exists():
            raise DataError(f"{show(path)}: is no regular file")
        raise DataError(f"{show(path)}: no such file{_neighbour(path)}")


def existing_folder(path: Path) -> Path:
    """The path, if it is a folder."""
    with reading(path):
        if path.is_dir():
            return path
        if path.exists():
            raise DataError(f"{show(path)}: is a file; expected a folder")
        raise DataError(f"{show(path)}: no such folder{_neighbour(path)}")


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (nor is there a folder {show(path.parent)})"
    return did_you_mean(path.name, (entry.name for entry in path.parent.iterdir()))


def memory_limit() -> int:
    """How many bytes of data are read into memory at most: half of what the machine has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # not every system tells
        return _MEMORY_WHERE_UNKNOWN


def require_memory(size: int, what: str, fix: str) -> None:
    """Raises DataError where `size` bytes are more than `memory_limit`."""
    limit = memory_limit()
    if size > limit:
        need, most = (f"{count / 2**30:,.1f} GiB" for count in (size, limit))
        raise DataError(f"{what} needs {need} of memory; expected at most {most}, half of what there is; {fix}")


def locate(base: Path, path: Path) -> Path:
    """An absolute path: relative ones start at `base`, ~ is the home folder."""
    with suppress(RuntimeError):  # ~somebody who does not exist is a name like any other
        path = path.expanduser()
    return (base / path).absolute()
