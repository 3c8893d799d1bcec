"""One trainer a run directory. The system lets go of a lock when its process ends, however it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

from cnncli.errors import OutputError, UsageError

PATIENCE = 0.2
"""Seconds: who only looks whether a training is at work has gone by then."""

if sys.platform == "win32":
    import msvcrt

    TAKEN: type[OSError] = PermissionError

    def _take(file: BinaryIO, *, shared: bool) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    TAKEN: type[OSError] = BlockingIOError

    def _take(file: BinaryIO, *, shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the file `path`, which is made if it is not there. Raises UsageError if somebody else does, OutputError if
    it cannot be made or held."""
    try:
        file = path.open("ab")
    except OSError as error:
        raise _useless(path, error) from None
    with file:
        _wait_for(file, path)
        yield


def _wait_for(file: BinaryIO, path: Path) -> None:
    deadline = monotonic() + PATIENCE
    while True:
        try:
            return _take(file, shared=False)
        except TAKEN:
            if monotonic() > deadline:
                raise UsageError(
                    f"{path.parent}: another process is training there; wait for it, or train with another --out"
                ) from None
            sleep(PATIENCE / 10)
        except OSError as error:
            raise _useless(path, error) from None


def _useless(path: Path, error: OSError) -> OutputError:
    what = f"cannot be written or locked: {error.strerror or error}"
    return OutputError(f"{path}: {what}; a training needs to write into its run directory")


def is_locked(path: Path) -> bool:
    """Whether somebody holds the file."""
    with suppress(OSError), path.open("rb") as file:
        try:
            _take(file, shared=True)
        except TAKEN:
            return True
    return False
