"""Max pooling: every output's gradient goes to the pixel that won its window. To whom else may it have gone?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.gradcheck.diagnosis.arrangement import side_moved_to
from cnncli.inspection.gradcheck.diagnosis.fit import equal
from cnncli.inspection.gradcheck.diagnosis.words import SIDES, pair
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import LayerFunction

Array = NDArray[Any]

NEIGHBOUR = "the gradient goes to the neighbour of the winner"


def wrong_winner(examination: Examination[LayerFunction]) -> str | None:
    """Another pixel, several, or windows in other places."""
    if examination.name != INPUT or not examination.function.layer.picks_maximum:
        return None
    found = next((text for text, dx in _candidates(examination) if equal(examination, dx)), None)
    if found is not None:
        return found
    side = side_moved_to(examination)  # in whatever way the border is treated
    return None if side is None else f"{NEIGHBOUR}: one pixel too far {side}"


def _candidates(examination: Examination[LayerFunction]) -> Iterator[tuple[str, Array]]:
    """What backward may have computed, (C, H, W, N)."""
    function = examination.function
    routes = _Routes(function, examination.cotangent)
    winners, count = routes.winners(function), routes.taps
    yield f"{NEIGHBOUR}: the next pixel of the window", routes.to(winners + 1)
    yield f"{NEIGHBOUR}: the pixel before it", routes.to(winners - 1)
    for side, beside in SIDES:
        yield f"{NEIGHBOUR}: one pixel too far {side}", routes.to(winners, beside=beside)
    smallest = routes.winners(function.at(-function.xs[0]))
    first, last = np.zeros_like(winners), np.full_like(winners, count - 1)
    yield "the smallest pixel of the window gets the gradient instead of the largest", routes.to(smallest)
    yield "the first pixel of each window gets the gradient, not the winner", routes.to(first)
    yield "the last pixel of each window gets the gradient, not the winner", routes.to(last)
    everybody = np.stack([routes.to(np.full_like(winners, tap)) for tap in range(count)]).sum(axis=0)
    yield "every pixel of the window gets the gradient, not the winner alone", everybody
    yield "the gradient is shared out over the window, as in average pooling", everybody / count
    text = "where a pixel wins several windows, the last gradient overwrites the others instead of being added to them"
    yield text, routes.to(winners, adding=False)
    for stride in (1, 2, 3):
        if (stride, stride) != routes.windows.stride:
            yield (
                f"as if the stride were {stride} and not {pair(routes.windows.stride)}",
                routes.to(winners, stride=stride),
            )


class _Routes:
    """The windows of a pooling layer, and what goes into them."""

    def __init__(self, function: LayerFunction, dy: Array) -> None:
        assert function.windows is not None
        self.windows = function.windows
        self.taps = math.prod(self.windows.extent)
        self._dy = dy  # (C, oh, ow, N)

    def winners(self, function: LayerFunction) -> Array:
        """The tap that wins each window, counted row by row, (C, oh, ow, N)."""
        (taps,) = function.base.branches.values()
        return taps.astype(np.int64)

    def to(
        self, taps: Array, *, beside: tuple[int, int] = (0, 0), stride: int | None = None, adding: bool = True
    ) -> Array:
        """dx with the gradients of these taps' pixels, or of those beside them; what falls outside is lost."""
        channels, down, across, samples = (np.asarray(axis) for axis in np.indices(self._dy.shape))
        windows, (over, along) = self.windows, np.divmod(taps % self.taps, self.windows.extent[1])
        strides = windows.stride if stride is None else (stride, stride)
        rows = down * strides[0] + windows.first[0] + over + beside[0]
        columns = across * strides[1] + windows.first[1] + along + beside[1]
        inside = (rows >= 0) & (rows < windows.size[0]) & (columns >= 0) & (columns < windows.size[1])
        places = channels[inside], rows[inside], columns[inside], samples[inside]
        dx = np.zeros((len(self._dy), *windows.size, self._dy.shape[-1]))
        if adding:
            np.add.at(dx, places, self._dy[inside])
        else:
            dx[places] = self._dy[inside]
        return dx
