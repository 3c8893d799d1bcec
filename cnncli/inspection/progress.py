"""How much is done."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Is told how much is done, and how much there is to do."""


def silent(done: int, total: int) -> None:
    """Nobody is told."""
