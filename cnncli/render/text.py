"""Numbers, durations, shares and bars as text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST, LARGEST = 1e-6, 1e6
"""Numbers whose largest lies between are written without powers of ten, so that they stand in columns."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


def number(value: float | None, digits: int = 4) -> str:
    """`digits` significant digits: 0.1235, 12.35, 1.235e-5; whole numbers as they are; "-" for None."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(float(value))
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -4 < power < 6:
        return f"{value:.{max(digits - 1 - power, 0)}f}"
    return f"{mantissa}e{power}"


def numbers(values: NDArray[Any], digits: int = 4) -> list[str]:
    """All with the same decimals, so that the largest has `digits` digits; an exact zero is a plain 0."""
    flat = values.ravel().astype(np.float64)
    finite = flat[np.isfinite(flat)]
    largest = float(np.abs(finite).max(initial=0.0))
    if not SMALLEST <= largest < LARGEST:
        return [number(x, digits) for x in flat.tolist()]
    whole = bool((finite == np.trunc(finite)).all())
    decimals = 0 if whole else max(digits - 1 - math.floor(math.log10(largest)), 0)
    return [number(x) if x == 0 or not math.isfinite(x) else f"{x:.{decimals}f}" for x in flat.tolist()]


def count(value: int) -> str:
    """1234567 to 1,234,567."""
    return f"{value:,}"


def magnitude(value: int) -> str:
    """1234567 to 1.23 M; small ones as they are."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 999.5 * size else f"{value / size:.0f} {unit}"
    return str(value)


def duration(seconds: float) -> str:
    """0.4 s, 35 s, 4 min 20 s, 3 h 05 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 3570:
        return f"{round(seconds) // 60} min {round(seconds) % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def percent(share: float) -> str:
    """0.123 to 12.3%; what is not quite none or all is never shown as such."""
    if not math.isfinite(share):
        return "-"
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def bar(share: float, width: int, *, ascii_only: bool = False) -> str:
    """A bar filling `share` (0 to 1) of `width` cells, to an eighth of a cell."""
    share = min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    if ascii_only:
        return "#" * round(share * width)
    full, rest = divmod(round(share * width * 8), 8)
    return "█" * full + EIGHTHS[rest].strip()
