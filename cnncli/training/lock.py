"""One trainer a run directory. The system lets go of a lock when its process ends, however it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cnncli.errors import OutputError, UsageError

if sys.platform == "win32":
    import msvcrt

    def _take(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the file `path`, which is made if it is not there. Raises UsageError if somebody else does, OutputError if
    it cannot be made."""
    try:
        file = path.open("ab")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}; a training needs to write into its run directory"
        ) from None
    with file:
        try:
            _take(file)
        except OSError:
            raise UsageError(
                f"{path.parent}: another process is training there; wait for it, or train with another --out"
            ) from None
        yield


def is_locked(path: Path) -> bool:
    """Whether somebody holds the file."""
    with suppress(OSError), path.open("rb+") as file:
        try:
            _take(file)
        except OSError:
            return True
    return False
