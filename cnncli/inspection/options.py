"""What options may be, in one wording: `option` is its name on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from cnncli.errors import UsageError
from cnncli.wording import one_of

MOST = 2**31 - 1
"""There is nothing to be had in larger amounts."""


def at_least(option: str, value: int | None, least: int = 1) -> None:
    """Raises UsageError for a number that is given and smaller, or larger than MOST."""
    if value is not None and value < least:
        raise UsageError(f"{option} {value}: expected at least {least}")
    if value is not None and value > MOST:
        raise UsageError(f"{option} {value}: expected at most {MOST}")


def among(option: str, value: str, known: Sequence[str]) -> None:
    """Raises UsageError for a word that is none of those known."""
    if value not in known:
        raise UsageError(f"{option} {value}: expected {one_of(known)}")
