"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cnncli.errors import OutputError

FIXES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
}


def write_atomic(path: str | Path, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    """Writes beside `path`, forces the bytes to disk, then renames: readers see the old file or the new one.

    `content` is bytes, text (UTF-8), or a function that writes into an open binary file. Missing folders are made.
    Raises OutputError with the path and the system's reason; whatever fails, nothing half-written stays behind.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "xb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
    except OSError as error:
        fix = FIXES.get(error.errno or 0, "choose another place")
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}; {fix}") from error
    finally:
        with suppress(OSError):
            beside.unlink()  # there only if something failed


def _sync_folder(folder: Path) -> None:
    """Forces the new name to disk too, where the system lets a folder be opened, and knows how."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
