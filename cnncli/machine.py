"""How much of the machine this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")  # what a container grants: Linux, cgroups version 2
_MEMORY_WHERE_UNKNOWN = 16 << 30


def available_cores() -> int:
    """The cores that this process may use: what it is bound to, and what its container grants."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max": no limit
        return cores


def available_memory() -> int:
    """Bytes: what the machine has, what its container grants, or what the process is limited to, whichever is least."""
    known = [size for size in (_physical(), _granted(), _limit()) if size is not None]
    return min(known, default=_MEMORY_WHERE_UNKNOWN)


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return None


def _granted() -> int | None:
    try:
        return int((_CGROUP / "memory.max").read_text())
    except (OSError, ValueError):  # no such file, or "max": no limit
        return None


def _limit() -> int | None:
    """That of `ulimit -v`."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
