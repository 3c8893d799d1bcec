"""Says which samples come next, long before they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

_SAMPLES_AHEAD = 256
"""And one piece more."""


def looking_ahead(pieces: Sequence[Indices], announce: Callable[[Indices], None]) -> Iterator[Indices]:
    """The pieces, none longer than the first (but the last may be), after those that follow were announced."""
    ahead = 1 + -(-_SAMPLES_AHEAD // len(pieces[0])) if pieces else 0
    for indices in pieces[:ahead]:
        announce(indices)
    for place, indices in enumerate(pieces):
        if place + ahead < len(pieces):
            announce(pieces[place + ahead])
        yield indices
