"""What the checks of a training found, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["PASS", "FAIL", "SKIP"]


@dataclass(frozen=True)
class SanityRow:
    """One check: what was measured, what should have been, and what is likely to mend it."""

    check: str
    verdict: Verdict
    measured: str
    expected: str
    fix: str  # of what failed; of what was skipped, why it was; else empty
    seconds: float


@dataclass(frozen=True)
class Sanity:
    """What all checks found."""

    name: str
    verdict: Literal["PASS", "FAIL"]  # FAIL if one of them failed
    checks: tuple[SanityRow, ...]
    seconds: float
