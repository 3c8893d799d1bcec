"""What a process and all it started use of processor time and memory, from Linux's /proc."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")

SHARES = ("Pss", "Pss_Anon", "Pss_File", "Pss_Shmem")


def tree(pid: int) -> list[int]:
    """The process and its descendants."""
    parents = dict(_parents())
    found = [pid]
    for each in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == each]
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of the tree so far, in all threads."""
    ticks = 0
    for each in tree(pid):
        fields = _stat(each)
        if fields:
            ticks += int(fields[11]) + int(fields[12])  # utime and stime
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> dict[str, int]:
    """Resident bytes of the tree, by kind (`SHARES`). A page that several processes share is divided among them
    (PSS), so that nothing is counted twice."""
    total = dict.fromkeys(SHARES, 0)
    for each in tree(pid):
        try:
            text = (PROC / str(each) / "smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        for name, kilobytes in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE):
            if name in total:
                total[name] += int(kilobytes) * 1024
    return total


def _parents() -> Iterator[tuple[int, int]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                yield int(entry.name), int(fields[1])


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may itself hold blanks and brackets: state, parent, ...; none if it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
