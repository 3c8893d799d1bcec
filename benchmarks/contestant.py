"""One contestant in a process of its own: waits for a command on stdin and answers on stdout, a line of JSON each.

    python -m benchmarks.contestant pytorch --threads 2

First it tells its version. Then it takes {"do": "open" | "calibrate" | "run", ...}, the keywords being those of the
methods of `Server`. While it waits it does nothing at all, so that others can be measured meanwhile.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
from itertools import count
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any, TextIO

from benchmarks.contestants import TITLES
from benchmarks.contestants.runner import Mode, Runner
from benchmarks.job import Job

FIRST_STEPS = 3
"""Those whose losses are compared."""

CALIBRATION_PASSES = 3


class Server:
    """A contestant's runners for one job, and which of them is the fastest."""

    def __init__(self, module: ModuleType, threads: int) -> None:
        self.module, self.threads = module, threads
        self.mode: Mode = "training"
        self.runners: dict[str, Runner] = {}
        self.steps = count()

    def open(self, config: str, job: str, mode: Mode) -> dict[str, Any]:
        """Makes a runner for each choice of settings; answers with what each computes at first: in training the
        losses of the first steps, then the output of inference."""
        self.close(*self.runners)
        self.mode = mode
        self.runners = self.module.runners(Job.load(Path(config), Path(job)), mode, self.threads)
        return {"found": {name: self._first(runner) for name, runner in self.runners.items()}}

    def _first(self, runner: Runner) -> dict[str, Any]:
        losses = runner.train(range(FIRST_STEPS)) if self.mode == "training" else []
        return {"losses": losses, "output": runner.infer(0).tolist()}

    def calibrate(self, seconds: float) -> dict[str, Any]:
        """Times every runner for about so long, several times in turn, and keeps the one with the best median."""
        times: dict[str, list[float]] = {name: [] for name in self.runners}
        for _ in range(CALIBRATION_PASSES):
            for name, runner in self.runners.items():
                times[name].append(self._seconds_a_step(runner, seconds))
        medians = {name: statistics.median(values) for name, values in times.items()}
        best = min(medians, key=medians.__getitem__)
        self.close(*(name for name in self.runners if name != best))
        return {"chosen": best, "seconds_a_step": medians}

    def run(self, warm_up: int, steps: int) -> dict[str, Any]:
        """So many steps with the chosen runner, after some that are not timed."""
        (runner,) = self.runners.values()
        self._work(runner, warm_up)
        return {"seconds": self._work(runner, steps)}

    def close(self, *names: str) -> None:
        """Ends these runners."""
        for name in names:
            self.runners.pop(name).close()

    def _seconds_a_step(self, runner: Runner, seconds: float) -> float:
        steps = 1
        while (taken := self._work(runner, steps)) < seconds / 2:
            steps *= 2
        return taken / steps

    def _work(self, runner: Runner, steps: int) -> float:
        """The time that it takes."""
        numbers = [next(self.steps) for _ in range(steps)]
        start = perf_counter()
        if self.mode == "training":
            runner.train(numbers)
        else:
            for number in numbers:
                runner.infer(number)
        return perf_counter() - start


def keep_to_cores(threads: int) -> None:
    """Confines the process to as many cores as it may have threads, the same for all contestants, before a framework
    counts them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def private_stdout() -> TextIO:
    """Where the answers go. What anybody else prints goes to stderr from now on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Serves until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=TITLES)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    keep_to_cores(arguments.threads)
    answers = private_stdout()
    module = importlib.import_module(f"benchmarks.contestants.{arguments.name}")
    server = Server(module, arguments.threads)
    print(json.dumps({"version": module.version()}), file=answers, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(server, command.pop("do"))(**command)
        print(json.dumps(answer), file=answers, flush=True)
    server.close(*server.runners)


if __name__ == "__main__":
    main()
