"""What every reader of files needs: clear errors for paths, a bound on memory, streams into arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import DataError
from cnncli.machine import available_memory
from cnncli.wording import did_you_mean, printable

_MOST_NEIGHBOURS = 1000
_PIECE = 1 << 20
MOST_LISTED = 20
"""Things that a message lists at most."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the operating system answers into a DataError that names the file."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read: {error.strerror or error}") from error


def require_path(path: Path, option: str) -> None:
    """Raises DataError, which says what to set, where there is nothing at the path that an option gives."""
    with reading(path):
        if not path.exists():
            fix = f"correct {option}, as by --set {option}=PATH"
            raise DataError(f"{printable(path)}: no such file or folder; {fix}{_neighbour(path)}")


def existing_file(path: Path) -> Path:
    """The path, if it is a regular file (a pipe or a device could keep us waiting forever)."""
    with reading(path):
        if path.is_file():
            return path
        if path.is_dir():
            raise DataError(f"{printable(path)}: is a folder; expected a file")
        if path.exists():
            raise DataError(f"{printable(path)}: is no regular file")
        raise DataError(f"{printable(path)}: no such file{_neighbour(path)}")


def existing_folder(path: Path) -> Path:
    """The path, which leads somewhere, if that is a folder."""
    with reading(path):
        if not path.is_dir():
            raise DataError(f"{printable(path)}: is a file; expected a folder")
    return path


def _neighbour(path: Path) -> str:
    """What else there is, where the path leads to nothing."""
    if path.is_symlink():
        return f" (it is a link to {printable(path.readlink())}, which is not there)"
    if not path.parent.is_dir():
        return f" (nor is there a folder {printable(path.parent)})"
    return did_you_mean(path.name, (entry.name for entry in islice(path.parent.iterdir(), _MOST_NEIGHBOURS)))


def some_of(problems: Sequence[str]) -> str:
    """The first of them, one a line, and how many more there are."""
    more = [f"... and {len(problems) - MOST_LISTED} more"] if len(problems) > MOST_LISTED else []
    return "\n".join([*problems[:MOST_LISTED], *more])


def memory_limit() -> int:
    """How many bytes of data are read into memory at most: half of what this process may use."""
    return available_memory() // 2


def require_memory(size: int, what: str, fix: str) -> None:
    """Raises DataError where `size` bytes are more than `memory_limit`."""
    limit = memory_limit()
    if size > limit:
        need, most = (f"{count / 2**30:,.1f} GiB" for count in (size, limit))
        raise DataError(f"{what} needs {need} of memory; expected at most {most}, half of what there is; {fix}")


def fill(array: NDArray[Any], stream: IO[bytes]) -> int:
    """Writes the next bytes of a stream over a contiguous array, at most as many as it holds; returns how many."""
    view = array.reshape(-1).view(np.uint8).data
    filled = 0
    while filled < len(view) and (piece := stream.read(min(_PIECE, len(view) - filled))):
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    return filled


def locate(base: Path, path: Path) -> Path:
    """An absolute path: relative ones start at `base`, ~ is the home folder."""
    with suppress(RuntimeError):  # ~somebody who does not exist is a name like any other
        path = path.expanduser()
    return (base / path).absolute()
