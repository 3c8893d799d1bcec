"""Channels in blocks that stay in a core's cache while several passes go over them.

NumPy makes one pass over its arrays for every operation. Where the arrays are larger than the cache, each pass
waits for memory: a chain of passes takes up to half as long again as over one block of channels after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK_BYTES = 512 * 1024
"""What a block may take: a few arrays of this size fit the second-level cache (1 or 2 MB on current processors),
and the calls, about a microsecond each, count little beside the work."""


def channel_blocks(x: Array) -> tuple[slice, ...]:
    """Slices of the channels of x (C, ...), whose passes also go over as much of other arrays."""
    return blocks(len(x), x.nbytes // len(x))


def scratch_for(x: Array, empty: Callable[..., Array]) -> Array:
    """Room for any of the `channel_blocks` of x."""
    return empty((widest(channel_blocks(x)), *x.shape[1:]), x.dtype)


def widest(cut: tuple[slice, ...]) -> int:
    """The channels of the largest of the `blocks`, which is the last."""
    size: int = cut[-1].stop - cut[-1].start
    return size


@lru_cache(maxsize=4096)
def blocks(channels: int, channel_bytes: int) -> tuple[slice, ...]:
    """Slices of 0..channels, as even as possible, each of at most BLOCK_BYTES or one channel."""
    most = max(1, BLOCK_BYTES // channel_bytes)
    count = -(-channels // most)
    edges = [channels * index // count for index in range(count + 1)]
    return tuple(slice(start, stop) for start, stop in pairwise(edges))
