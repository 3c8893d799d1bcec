"""Starts the processes that run cases, and adds up what they tell; survives whatever becomes of them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.fuzz.worker import MOST_SECONDS

PIECE = 2000
"""Cases for one process."""
_PATIENCE = 2 * MOST_SECONDS + 20  # a process that is silent for so long hangs: loading takes a while too
ROOT = Path(__file__).parents[2]


@dataclass
class Tally:
    """What became of the cases of one kind."""

    target: str
    seed: int
    cases: int = 0
    seconds: float = 0.0  # of the slowest case
    slowest: int = 0
    memory: int = 0  # bytes beyond those at the start, at most
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        outcomes = ", ".join(f"{name} {count}" for name, count in self.outcomes.most_common())
        worst = f"slowest {self.seconds:.2f} s (case {self.slowest}), memory {self.memory / 2**20:.0f} MiB"
        return f"{self.target:<12} {self.cases:>6} cases, {len(self.failures)} failures; {worst}; {outcomes}"


def fuzz(target: str, cases: int, seed: int = 0, first: int = 0) -> Tally:
    """Runs the cases from `first` on, one process for every PIECE of them."""
    tally = Tally(target, seed)
    end = first + cases
    while first < end:
        first = _run_piece(tally, first, min(PIECE, end - first))
    return tally


def _run_piece(tally: Tally, first: int, count: int) -> int:
    """Returns the number of the next case, which is after the one that a process died of."""
    reading, writing = os.pipe()
    with tempfile.TemporaryDirectory(prefix="cnncli-fuzz-") as folder, tempfile.TemporaryFile("w+") as errors:
        words = [tally.target, str(tally.seed), str(first), str(count), folder, str(writing)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "2"},
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
        os.close(writing)
        at_work = None
        with os.fdopen(reading, "rb", buffering=0) as stream:
            for line in _lines(stream):
                told = json.loads(line)
                if "outcome" in told:
                    _add(tally, told)
                    at_work = None
                else:
                    at_work = told["case"]
        if process.poll() is None and at_work is not None:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        errors.seek(0)
        said = errors.read()[-4000:]
    if at_work is None and code == 0:
        return first + count
    if at_work is None:
        raise RuntimeError(f"the process for {tally.target} from {first} on ended with {code}:\n{said}")
    tally.cases += 1
    tally.outcomes["killed" if code < 0 else "ended"] += 1
    tally.failures[at_work] = f"the process hung, or ended, with {code}:\n{said}"
    return int(at_work) + 1


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Until the other end is closed, or nothing came for too long."""
    rest = b""
    while select.select([stream], [], [], _PATIENCE)[0]:
        piece = stream.read(1 << 16)
        if not piece:
            return
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole


def _add(tally: Tally, told: dict[str, object]) -> None:
    number, seconds, memory = int(str(told["case"])), float(str(told["seconds"])), int(str(told["memory"]))
    tally.cases += 1
    tally.outcomes[str(told["outcome"])] += 1
    tally.memory = max(tally.memory, memory)
    if seconds > tally.seconds:
        tally.seconds, tally.slowest = seconds, number
    if told["failure"]:
        tally.failures[number] = str(told["failure"])
