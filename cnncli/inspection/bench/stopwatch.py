"""Stands in for layers and the loss, and times their calls; the engine does not notice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any, Literal, ParamSpec, TypeVar

from numpy.typing import NDArray

from cnncli.inspection.proxies import LayerProxy
from cnncli.layers.base import Cache, Layer, Params
from cnncli.layers.run import Run
from cnncli.losses import Loss

Array = NDArray[Any]
Part = tuple[str, Literal["forward", "backward"]]
P = ParamSpec("P")
R = TypeVar("R")

LOSS, ENGINE = "<loss>", "<engine>"
"""Stand beside the nodes' names, none of which has brackets."""


class Stopwatch:
    """Seconds of every part of each step; the time between two calls is the engine's, on the way to the second."""

    def __init__(self) -> None:
        self._steps: list[dict[Part, float]] = []
        self._times: dict[Part, float] = {}
        self._last = 0.0  # when the last part ended

    def time(self, step: Callable[[], object]) -> None:
        """Makes a step."""
        self._times = defaultdict(float)
        self._last = perf_counter()
        step()
        self._end((ENGINE, "backward"))
        self._steps.append(self._times)

    def call(self, part: Part, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result; a part may have several calls."""
        self._end((ENGINE, part[1]))
        result = function(*args, **kwargs)
        self._end(part)
        return result

    def _end(self, part: Part) -> None:
        now = perf_counter()
        self._times[part] += now - self._last
        self._last = now

    def medians(self, steps: int) -> dict[Part, float]:
        """Over the last steps."""
        last = self._steps[-steps:]
        return {part: median(times[part] for times in last) for part in last[0]}


class TimedLayer(LayerProxy):
    """`gives_dx` is whether its input's gradient was asked for."""

    def __init__(self, name: str, layer: Layer, stopwatch: Stopwatch) -> None:
        super().__init__(layer)
        self.gives_dx = False
        self._name = name
        self._stopwatch = stopwatch

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        return self._stopwatch.call((self._name, "forward"), self.layer.forward, params, xs, run)

    def forward_sums(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> Array:
        return self._stopwatch.call((self._name, "forward"), self.layer.forward_sums, params, xs, run)

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        self.gives_dx = any(run.needs)
        return self._stopwatch.call((self._name, "backward"), self.layer.backward, params, cache, dy, run)

    def backward_sums(self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run) -> Array:
        return self._stopwatch.call((self._name, "backward"), self.layer.backward_sums, params, cache, dy, run)


class TimedLoss:
    """Stands in for a loss."""

    def __init__(self, loss: Loss, stopwatch: Stopwatch) -> None:
        self._loss = loss
        self._stopwatch = stopwatch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loss, name)

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        return self._stopwatch.call((LOSS, "forward"), self._loss.forward, y, target)

    def backward(self, cache: Any) -> Array:
        return self._stopwatch.call((LOSS, "backward"), self._loss.backward, cache)
