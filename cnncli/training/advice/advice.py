"""What is said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """What looks wrong and what may help. Of one kind there is one at a time: it need be said only once."""

    kind: str
    text: str
