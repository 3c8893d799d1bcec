"""Occlusion: what the target loses where a part of the input is covered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.inspection.attribution.method import Attribution, Check, Target, portions
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.wording import plural

Array = NDArray[Any]
Window = tuple[tuple[int, int], ...]
"""From where to where, along each axis of the input but the channels."""

SHARE = 7
"""The window, unless it is said, is that part of the input's side."""


@dataclass(frozen=True)
class Occlusion:
    """f(x) - f(x with a window covered), as a mean over the windows that cover a pixel (Zeiler and Fergus 2014,
    section 4.1).

    The square `window` covers all channels with the number `value`, as the network takes it, and moves by `stride`;
    by default it has a seventh of the input's side and moves by half of that. Of (C, L) and flat inputs it is a
    stretch.
    """

    name: ClassVar[str] = "occlusion"
    window: int | None = None
    stride: int | None = None
    value: float = 0.0
    progress: Progress = silent

    def __post_init__(self) -> None:
        at_least("--window", self.window)
        at_least("--stride", self.stride)
        self._require_no_gaps(self.window)
        if not math.isfinite(self.value):
            raise UsageError(f"--value {self.value:g}: expected a finite number")

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        sizes = x.shape[1:] if x.ndim == 2 else x.shape[2:]
        if self.window is not None and self.window > max(sizes):
            raise UsageError(f"--window {self.window}: expected 1 to {max(sizes)}, the side of the input")
        sides = tuple(min(self.window or max(size // SHARE, 1), size) for size in sizes)
        self._require_no_gaps(max(sides))
        steps = tuple(min(self.stride or max(side // 2, 1), side) for side in sides)
        windows, apart = _windows(sizes, sides, steps), _windows(sizes, sides, sides)
        whole = target.infer(executor, x).astype(np.float64)
        drops = self._drops(executor, x, target, whole, list(dict.fromkeys([*windows, *apart])))
        total, times = np.zeros((len(x), *sizes)), np.zeros(sizes)
        for window in windows:
            total[_place(window)] += drops[window].reshape(-1, *(1,) * len(sizes))
            times[_place(window)] += 1
        check = Check(
            "additivity",
            "sum over windows side by side = f(x) - f(all covered)",
            np.sum([drops[window] for window in apart], axis=0),
            whole - target.infer(executor, np.full_like(x, self.value)),
            _is_linear(executor, target.at),
            "linear networks",
        )
        size, stride = ("x".join(map(str, lengths)) for lengths in (sides, steps))
        note = f"{plural(len(windows), 'window')} of {size}, stride {stride}, covered with {self.value:g}"
        return Attribution(
            (total / times).astype(executor.model.flat.dtype), signed=True, checks=(check,), notes=(note,)
        )

    def _require_no_gaps(self, side: int | None) -> None:
        if side is not None and self.stride is not None and self.stride > side:
            fix = f"give --stride {side} at most"
            raise UsageError(f"--stride {self.stride}: between windows of {side} there would be gaps; {fix}")

    def _drops(
        self, executor: Executor, x: Array, target: Target, whole: Array, windows: Sequence[Window]
    ) -> dict[Window, Array]:
        """For each window how much less the target is with it covered, (N,)."""
        drops: dict[Window, Array] = {}
        for part in portions(len(windows), x, self.progress):
            some = windows[part]
            covered = np.repeat(x[:, None], len(some), axis=1)  # (N, windows, *input_shape)
            for index, window in enumerate(some):
                covered[:, index][_place(window)] = self.value
            values = target.repeated(len(some)).infer(executor, covered.reshape(-1, *x.shape[1:]))
            drops |= zip(some, (whole[:, None] - values.reshape(len(x), -1)).T, strict=True)
        return drops


def _windows(sizes: Sequence[int], sides: Sequence[int], steps: Sequence[int]) -> list[Window]:
    """Row by row, from one end to the other; the last of a row is cut off where it would reach beyond."""
    axes = []
    for size, side, step in zip(sizes, sides, steps, strict=True):
        count = math.ceil((size - side) / step) + 1
        axes.append([(index * step, min(index * step + side, size)) for index in range(count)])
    return list(product(*axes))


def _place(window: Window) -> Any:
    return (..., *(slice(start, stop) for start, stop in window))


def _is_linear(executor: Executor, at: str) -> bool:
    return all(node.layer.linear for node in executor.model.graph.up_to(at).nodes)
