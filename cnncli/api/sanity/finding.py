"""What a check of the training found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnncli.api.sanity.lab import Lab
from cnncli.inspection.sanity import Verdict


@dataclass(frozen=True)
class Finding:
    """What was measured, what should have been, and where it was not, what is likely to mend it."""

    verdict: Verdict
    measured: str
    expected: str
    fix: str = ""  # of what failed; of what was skipped, why it was

    @classmethod
    def of(cls, good: bool, measured: str, expected: str, fix: str) -> Finding:
        """PASS or FAIL, the fix being that of the latter."""
        return cls("PASS", measured, expected) if good else cls("FAIL", measured, expected, fix)


@dataclass(frozen=True)
class Check:
    """One thing that is true of every training that works."""

    name: str
    run: Callable[[Lab], Finding]
    needs_targets: bool = True  # that fit the network's output
