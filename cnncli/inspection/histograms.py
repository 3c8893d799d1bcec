"""Counts the numbers of weights, activations and gradients; of a batch only the counts are kept.

Activations and gradients are computed twice: the first time tells the range of each, the second time they are counted.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.graph import INPUT, Graph, Model
from cnncli.inspection.census import Choose, backward_census, forward_census
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples, batch_size
from cnncli.inspection.statistics import Statistics, statistics
from cnncli.layers.base import Params

Array = NDArray[Any]

Of = Literal["weights", "activations", "gradients"]
OF: tuple[Of, ...] = get_args(Of)

FEWEST, MOST = 8, 64
"""Bins: a power of two between, about twice the square root of how many numbers there are."""


@dataclass(frozen=True)
class Histogram:
    """Of one tensor, over all samples. Exact zeros are not counted in the bars, which those of a rectifier would
    dwarf, and neither is what is not finite: `statistics` tells both."""

    index: int
    """The place in the network; the input has 0."""
    node: str
    of: Of
    what: str
    """"activation", "gradient", "weight", "bias", "weight-gradient"."""
    shape: tuple[int, ...]
    """Of a sample's value, or of the parameter."""
    statistics: Statistics
    edges: tuple[float, ...]
    """Evenly spaced, 0 being one of them if it lies between; none where there is nothing to count."""
    counts: tuple[int, ...]
    """How many numbers lie between one edge and the next."""

    @property
    def title(self) -> str:
        """conv1, conv1.weight."""
        return self.node if self.what in ("activation", "gradient") else f"{self.node}.{self.what}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Mean and spread, and what the bars do not show."""
        found = self.statistics
        finite = found.size - found.nonfinite
        zeros = round(found.zeros * found.size)
        parts = [f"mean {found.mean:.3g}", f"std {found.std:.3g}"] if finite else []
        if finite and found.min == found.max:
            parts = [
                f"all {found.size:,} are {found.min:g}" if finite == found.size else f"all others are {found.min:g}"
            ]
        elif zeros:
            parts.append(f"zeros {_percent(found.zeros)} (not drawn)")
        if found.nonfinite:
            parts.append(f"{found.nonfinite:,} of {found.size:,} NaN or infinite")
        return ("   ".join(parts),)


def weight_histograms(model: Model, nodes: Collection[str]) -> Iterator[Histogram]:
    """Of every parameter of these nodes."""
    return _of_parameters(model.parameters, model.graph, nodes, "weights", "")


def value_histograms(
    executor: Executor,
    samples: Samples,
    nodes: Collection[str],
    choose: Choose | None,
    *,
    training: bool = False,
    progress: Progress = silent,
) -> Iterator[Histogram]:
    """Of the outputs of these nodes for all samples; and, where there is an objective to `choose`, of the gradients of
    its mean, or sum, by the outputs and by the parameters."""
    graph = executor.model.graph
    if choose is None:
        recording, census = forward_census(executor, samples, training=training, progress=progress)
    else:
        recording, census = backward_census(executor, samples, choose, training=training, progress=progress)
    found = {"activation": census.activations, "gradient": census.gradients}
    bins = {
        (what, name): Bins(numbers)
        for what, values in found.items()
        for name, numbers in values.items()
        if name in nodes and (what == "activation" or name in recording.gradients)
    }
    _count(executor, samples, choose, bins, training=training)
    of: dict[str, Of] = {"activation": "activations", "gradient": "gradients"}
    for (what, name), counted in sorted(bins.items(), key=lambda item: graph.place(item[0][1])):
        yield counted.histogram(graph.place(name), name, of[what], what, graph.shape_of(name))
    yield from _of_parameters(recording.parameter_gradients, graph, nodes, "gradients", "-gradient")


class Bins:
    """Counts what is finite and not 0, within the range that is known from the statistics."""

    def __init__(self, found: Statistics) -> None:
        self.statistics = found
        self.edges = _edges(found.min, found.max, _bins(found.size))
        self.counts = np.zeros(max(len(self.edges) - 1, 0), np.int64)

    def add(self, array: Array) -> None:
        """Some of the numbers."""
        if len(self.counts):
            kept = array[np.isfinite(array) & (array != 0)].astype(np.float64)
            unit = np.abs(self.edges).max()  # so that no difference overflows
            low, high = self.edges[0] / unit, self.edges[-1] / unit
            self.counts += np.histogram(np.clip(kept / unit, low, high), len(self.counts), (low, high))[0]

    def histogram(self, index: int, node: str, of: Of, what: str, shape: tuple[int, ...]) -> Histogram:
        """What has been counted."""
        edges, counts = tuple(self.edges.tolist()), tuple(self.counts.tolist())
        return Histogram(index, node, of, what, shape, self.statistics, edges, counts)


def _bins(size: int) -> int:
    return min(max(1 << round(math.log2(2 * math.sqrt(size or 1))), FEWEST), MOST)


def _edges(low: float, high: float, bins: int) -> Array:
    """Evenly spaced from `low` to `high`, somewhat beyond one of them if 0 lies between, so that it is an edge.

    None where nothing is to be counted; one bin around a constant.
    """
    if not np.isfinite(low) or low == high == 0:
        return np.empty(0)
    if low == high:
        largest = np.finfo(np.float64).max / 1.05
        return np.sort(np.array([low * 0.95, min(max(low, -largest), largest) * 1.05]))
    if low < 0 < high:
        below = np.arange(1, bins)  # how many bins may lie below 0, and how wide they must then be
        widths = np.maximum(-low / below, high / (bins - below))
        best = int(widths.argmin())
        with np.errstate(over="ignore"):
            edges = widths[best] * (np.arange(bins + 1) - below[best])
        largest = np.finfo(np.float64).max
        edges = np.clip(edges, -largest, largest)
    else:
        edges = low + (high / bins - low / bins) * np.arange(bins + 1)
    # Rounded, they might leave the outermost numbers out.
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return np.asarray(edges)


def _count(
    executor: Executor,
    samples: Samples,
    choose: Choose | None,
    bins: Mapping[tuple[str, str], Bins],
    *,
    training: bool,
) -> None:
    """Runs all samples once more, in the batches and with the factors of the census."""
    size = samples.count if training else batch_size(executor.model.graph, ())
    for start in range(0, samples.count, size):
        indices = np.arange(start, min(start + size, samples.count))
        x = samples.x(indices)
        objective = None if choose is None else choose(indices)
        factor = len(indices) / samples.count if objective is not None and objective.mean else 1.0

        def tap(name: str, what: str, array: Array, _: slice, factor: float = factor) -> None:
            if (what, name) in bins:
                bins[what, name].add(array * factor if what == "gradient" and factor != 1 else array)

        if objective is None:
            executor.infer(x, training=training, taps=[tap])
        else:
            executor.differentiate(x, objective, training=training, taps=[tap])


def _of_parameters(
    parameters: Mapping[str, Params], graph: Graph, nodes: Collection[str], of: Of, suffix: str
) -> Iterator[Histogram]:
    for index, name in enumerate(graph.consumers):
        for key, array in parameters.get(name, {}).items() if name in nodes and name != INPUT else ():
            bins = Bins(statistics(array))
            bins.add(array)
            yield bins.histogram(index, name, of, key + suffix, array.shape)


def _percent(share: float) -> str:
    """What is not quite none or all is never shown as such."""
    return f"{share:.0%}" if share in (0, 1) else f"{min(max(share, 0.001), 0.999):.1%}"
