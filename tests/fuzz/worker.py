"""Runs cases of one kind in a process of its own, with little memory, and tells how each went.

    python -m tests.fuzz.worker TARGET SEED FIRST COUNT FOLDER DESCRIPTOR

To the descriptor it writes a line of JSON before each case, and one after it.
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from time import perf_counter

from cnncli.errors import CnncliError
from tests.fuzz.guard import Guard
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

MOST_SECONDS = 5.0
MOST_MEMORY = 1 << 30


def case_of(target: Target, seed: int, number: int) -> bytes:
    """Case `number`: the same on every machine and in every process."""
    return target.make(random.Random(f"{target.name}/{seed}/{number}"))


def main() -> None:
    name, seed, first, count, place, descriptor = sys.argv[1:]
    warnings.simplefilter("ignore")  # NumPy's, of headers that it mends
    folder = Path(place)
    os.chdir(folder)
    tempfile.tempdir = place
    target = TARGETS[name](folder)
    guard = Guard(folder)
    base = _memory("VmRSS")
    limit = _memory("VmSize") + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with os.fdopen(int(descriptor), "w") as report:
        for number in range(int(first), int(first) + int(count)):
            case = case_of(target, int(seed), number)
            print(json.dumps({"case": number}), file=report, flush=True)
            faulthandler.dump_traceback_later(MOST_SECONDS)
            started = perf_counter()
            outcome, failure = run(target, case, guard)
            seconds = perf_counter() - started
            faulthandler.cancel_dump_traceback_later()
            if seconds > MOST_SECONDS:
                failure = failure or f"took {seconds:.1f} s"
            peak = _memory("VmHWM") - base
            if peak > MOST_MEMORY:
                failure = failure or f"took {peak / 2**20:.0f} MiB"
            told = {"case": number, "outcome": outcome, "seconds": seconds, "memory": peak, "failure": failure}
            print(json.dumps(told), file=report, flush=True)


def run(target: Target, case: bytes, guard: Guard) -> tuple[str, str]:
    """How the case ended, in a word, and what was wrong with that ("" if nothing)."""
    failure = ""
    try:
        outcome = target.run(case)
    except CnncliError as error:
        outcome = type(error).__name__
        if not str(error) or not all(line.isprintable() for line in str(error).split("\n")):
            failure = f"the message cannot be printed: {str(error)!r}"
    except BaseException as error:  # a mistake of the program, whatever it is
        outcome, failure = type(error).__name__, traceback.format_exc()
    found = guard.take()
    if found and not target.may_write_outside(case):
        failure = failure or "\n".join(found)
    return outcome, failure


def _memory(field: str) -> int:
    """Bytes of this process, as Linux counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


if __name__ == "__main__":
    main()
