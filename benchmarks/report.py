"""Tables in Markdown, to be pasted as they are."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from benchmarks.measure import Spread
from cnncli.machine import available_cores


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def head(titles: Sequence[str]) -> str:
    """The first two lines of a table."""
    return f"{row(titles)}\n|{'---|' * len(titles)}"


def ratio(spread: Spread) -> str:
    """`1.25 (1.10 to 1.40)`."""
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"


def speed(value: float) -> str:
    """`12,345`, or `7.89` where that is little."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def megabytes(count: float) -> str:
    """`350 MB`, of a million bytes."""
    return f"{count / 1e6:,.0f} MB"


def say(text: str) -> None:
    """Progress, apart from the tables."""
    print(text, file=sys.stderr, flush=True)


def machine(threads: int | None = None) -> str:
    """Date, processor and cores, on one line."""
    used = "" if threads is None else f", threads of each: {threads}"
    return f"{date.today().isoformat()}, {processor()}, cores: {available_cores()}{used}"


def processor() -> str:
    """Its name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
