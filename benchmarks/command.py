"""Whole processes: how long one takes, and how much memory it and all it started have at most."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import processes

CNNCLI = str(Path(sysconfig.get_path("scripts")) / "cnncli")

LOOKING_SHARE = 0.2
"""Of the time, in which memory is looked at: long processes with much memory are looked at less often."""


def finish(argv: Sequence[str]) -> tuple[float, str]:
    """Wall time from start to end, and what was printed on stdout. SystemExit if it fails."""
    start = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} failed with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    return taken, done.stdout


def peak_memory(argv: Sequence[str]) -> dict[str, int]:
    """The highest resident memory in bytes, by kind (`processes.SHARES`), each at its own highest; found by looking
    many times a second, which takes time itself: a process is timed in another run."""
    peak = dict.fromkeys(processes.SHARES, 0)
    with tempfile.TemporaryFile() as nowhere, subprocess.Popen(argv, stdout=nowhere, stderr=nowhere) as process:
        while process.poll() is None:
            start = time.perf_counter()
            now = processes.memory(process.pid)
            peak = {kind: max(count, now[kind]) for kind, count in peak.items()}
            time.sleep((time.perf_counter() - start) * (1 / LOOKING_SHARE - 1))
    if process.returncode:
        raise SystemExit(f"{' '.join(argv)} failed with exit code {process.returncode}")
    return peak


def python(*arguments: str) -> list[str]:
    """The command line of this interpreter."""
    return [sys.executable, *arguments]
