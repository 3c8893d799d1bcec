"""How much memory this process and those that it started have taken."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")


def peak_memory() -> int | None:
    """Bytes: the most that this process ever had in memory, and what its helpers have now beside what they share.

    Engines keep their buffers, so ask while they are open. Where the system tells nothing of other processes, it is of
    this one alone; None where it does not even tell that.
    """
    if (PROCESSES / "self" / "smaps_rollup").exists():
        return _kilobytes("self", "status", "VmHWM") + sum(
            _kilobytes(helper, "smaps_rollup", "Private_Clean", "Private_Dirty") for helper in _helpers()
        )
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - there is none on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _helpers() -> Iterator[str]:
    """The processes that this one started."""
    for process in PROCESSES.iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # it has ended
                # The name stands in brackets and may hold any character; after it come the state and the parent.
                _, parent, *_ = (process / "stat").read_text().rpartition(")")[2].split()
                if int(parent) == os.getpid():
                    yield process.name


def _kilobytes(process: str, file: str, *keys: str) -> int:
    """The sum of the lines that begin with these keys, in bytes; 0 for a process that has ended."""
    with suppress(OSError):
        lines = (line.split() for line in (PROCESSES / process / file).read_text().splitlines())
        return sum(1024 * int(words[1]) for words in lines if words[0].rstrip(":") in keys)
    return 0
