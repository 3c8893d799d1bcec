"""Times steps by the wall clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from statistics import median
from time import perf_counter

from cnncli.inspection.bench.report import Speed, Spread

WARM_UP = 3
"""Steps that do not count: they make the buffers that the others use again."""

SECONDS = 2.0
LEAST = 5
"""Where nobody says how many steps: as many as fill the time, and no fewer than these."""


def measure(step: Callable[[], object], samples: int, steps: int | None = None) -> Speed:
    """Samples a second of a step that works on so many of them."""
    times = list(timings(step, steps))
    rates = Spread(samples / median(times), samples / max(times), samples / min(times))
    return Speed(rates, len(times))


def timings(step: Callable[[], object], steps: int | None, *, seconds: float = SECONDS) -> Iterator[float]:
    """The seconds of each of `steps` steps, after some to warm up; of as many as fill `seconds` where that is None."""
    for _ in range(WARM_UP):
        step()
    began = perf_counter()
    for done in count():
        started = perf_counter()
        if done >= LEAST and started - began >= seconds if steps is None else done == steps:
            return
        step()
        yield perf_counter() - started
