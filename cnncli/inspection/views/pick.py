"""Which layers and channels are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.inspection.statistics import ranking

Array = NDArray[Any]


@dataclass(frozen=True)
class Pick:
    """Which layers (none given: all that compute something) and which of their channels are drawn:
    those given, in that order; or the `top` strongest; or, if that is None, all in their order."""

    nodes: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    top: int | None = 64

    def of(self, maps: Array) -> tuple[int, ...]:
        """The channels of maps (C, ...)."""
        if self.channels:
            return tuple(channel for channel in self.channels if channel < len(maps))
        return tuple(range(len(maps))) if self.top is None else ranking(maps)[: self.top]


STRONGEST = Pick()


def parse_channels(text: str) -> tuple[int, ...]:
    """ "0,3,8-10" to (0, 3, 8, 9, 10). Raises UsageError."""
    channels: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part.strip())
        if not found:
            raise UsageError(f"--channels {text}: {part!r} is neither a channel nor a range; write it as 0,3,8-10")
        first, last = found.groups()
        channels += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(channels))
