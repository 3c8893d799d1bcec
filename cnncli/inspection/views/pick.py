"""Which layers and channels are drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.inspection.options import at_least
from cnncli.inspection.statistics import ranking

Array = NDArray[Any]


@dataclass(frozen=True)
class Pick:
    """Which layers (none given: all that compute something) and which of their channels are drawn:
    those given, in that order; or the `top` strongest; or, if that is None, all in their order."""

    nodes: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    top: int | None = 64

    def __post_init__(self) -> None:
        at_least("--top", self.top)

    def of(self, maps: Array) -> tuple[int, ...]:
        """The channels of maps (C, ...)."""
        if self.channels:
            return tuple(channel for channel in self.channels if channel < len(maps))
        return tuple(range(len(maps))) if self.top is None else ranking(maps)[: self.top]

    def require(self, totals: Mapping[str, int]) -> None:
        """Raises UsageError for a channel that no tensor has, `totals` being how many each has, by the layer's name."""
        largest = max(totals, key=totals.__getitem__)
        missing = [channel for channel in self.channels if channel >= totals[largest]]
        if missing:
            most = f"{largest} has {totals[largest]}" + (", the most of all" if len(totals) > 1 else "")
            raise UsageError(f"--channels: there is no channel {missing[0]}; {most}, counted from 0")


STRONGEST = Pick()


def parse_channels(text: str) -> tuple[int, ...]:
    """ "0,3,8-10" to (0, 3, 8, 9, 10). Raises UsageError."""
    channels: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part.strip())
        if not found:
            raise UsageError(f"--channels {text}: {part!r} is neither a channel nor a range; write it as 0,3,8-10")
        first, last = (int(end or found[1]) for end in found.groups())
        if last < first:
            raise UsageError(f"--channels {text}: {part.strip()!r} runs backwards; write it as {last}-{first}")
        channels += range(first, last + 1)
    return tuple(dict.fromkeys(channels))
