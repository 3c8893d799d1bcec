"""Watches what a process does: what it writes and where, and whether it runs what a file told it to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")
_RUNS = ("os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect")


class Guard:
    """Refuses to change anything outside `folder`, and remembers that it was asked to. There is no way to end it."""

    def __init__(self, folder: Path) -> None:
        self.root = os.path.realpath(folder)
        self.found: list[str] = []
        sys.addaudithook(self._hear)

    def take(self) -> list[str]:
        """What was found since the last time."""
        found, self.found = self.found, []
        return found

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._require_inside(event, path)
        elif event in _CHANGES:
            for path in arguments:
                self._require_inside(event, path)
        elif event in _RUNS:
            self.found.append(f"{event} {arguments}"[:300])
            raise PermissionError(13, "Permission denied", event)

    def _require_inside(self, event: str, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file that is open already, or a mode
        above, name = os.path.split(os.fsdecode(path))
        place = os.path.join(os.path.realpath(above or "."), name)
        if place == self.root or place.startswith((self.root + os.sep, "/dev/null", "/dev/shm/")):
            return
        self.found.append(f"{event} outside the folder: {place}"[:300])
        raise PermissionError(13, "Permission denied", place)
