"""What the channels of a layer would like best: an image made for each, and the sample that comes nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import DataError, UsageError
from cnncli.graph import INPUT
from cnncli.inspection.maximization import Ascent, Climbed, Range, channel_means, climb
from cnncli.inspection.names import only_nodes
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples, batches, require_finite
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.wording import channel_name, shape_text

if TYPE_CHECKING:
    from cnncli.engine import Executor
    from cnncli.graph import Graph

Array = NDArray[Any]
Names = Sequence[str]

WIDTH = 2.5
"""Where there are no samples, numbers are taken to lie this far around 0."""


@dataclass(frozen=True)
class Peak:
    """How much the image that was made excites a channel, beside the noise it was made from and the best sample."""

    channel: int
    name: str
    value: float
    """The mean of the channel over its positions."""
    noise: float
    sample: str | None
    """As --input takes it; None without samples."""
    sample_value: float | None


@dataclass(frozen=True)
class LayerPeaks:
    """The channels of one layer that were looked at."""

    node: str
    type: str
    index: int
    shape: tuple[int, ...]
    peaks: tuple[Peak, ...]


@dataclass(frozen=True, eq=False)
class ActivationMaxView:
    """The pictures, and what they reach."""

    samples: str | None
    steps: int
    layers: tuple[LayerPeaks, ...]
    board: Board
    """A sheet for every layer, whose first row has the inputs that were made as its array, (K, *input_shape)."""

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """The layers where what was made reaches NaN or infinity."""
        return tuple(layer.node for layer in self.layers if not np.isfinite([peak.value for peak in layer.peaks]).all())


def activation_max_view(
    executor: Executor,
    layers: Sequence[str],
    samples: Samples | None,
    picture: Callable[[Array], Array],
    pick: Pick = STRONGEST,
    ascent: Ascent | None = None,
    *,
    class_names: tuple[str, Names] | None = None,
    progress: Progress = silent,
) -> ActivationMaxView:
    """An image for each of the channels of `layers` that `pick` says, the strongest being so for the samples.

    `picture` makes of an input what can be looked at, uint8 (H, W) or (H, W, 3); `class_names` are those of the
    channels of one value; without `samples` numbers lie around 0.

    Raises UsageError, and DataError for samples with NaN or infinity, or without a range.
    """
    ascent = ascent or Ascent()
    graph = executor.model.graph
    chosen = [name for name in graph.consumers if name in only_nodes(graph, layers)]
    if INPUT in chosen:
        raise UsageError(f"--layer {INPUT}: nothing is computed there; name a layer of the network")
    pick.require({name: graph.shape_of(name)[0] for name in chosen})
    seen = _Seen(executor, chosen, samples)
    found, sheets = [], []
    for name in chosen:
        channels = seen.pick(name, pick)
        if not channels:
            continue
        climbed = climb(executor, name, channels, seen.range, ascent, progress)
        known = class_names[1] if class_names is not None and class_names[0] == name else None
        layer = _layer(graph, name, channels, climbed, seen, known)
        found.append(layer)
        made = replace(_made(layer, climbed.x, picture), ranked=seen.ranks(name, pick))
        sheets.append(_sheet(graph, layer, made, _best(layer, seen)))
    title = None if samples is None else samples.title
    subject = Subject(f"made from noise in {ascent.steps} steps")
    board = Board("activation-max", subject, tuple(sheets))
    return ActivationMaxView(title, ascent.steps, tuple(found), board)


class _Seen:
    """What the samples say: the range of their numbers, and of each channel how strong it is and its best sample."""

    def __init__(self, executor: Executor, names: Sequence[str], samples: Samples | None) -> None:
        self.samples = samples
        shape = executor.model.graph.input_shape
        around = np.ones((shape[0], *(1,) * (len(shape) - 1))) * WIDTH
        self.range = Range(-around, 0 * around, around)
        counts = {name: executor.model.graph.shape_of(name)[0] for name in names}
        self.strengths = {name: np.zeros(count) for name, count in counts.items()}
        self.best = {name: np.full(count, -np.inf) for name, count in counts.items()}
        self.best_samples = {name: np.zeros(count, np.int64) for name, count in counts.items()}
        if samples is not None:
            self._look(executor, names, samples)

    def _look(self, executor: Executor, names: Sequence[str], samples: Samples) -> None:
        ranges = []
        for batch in batches(executor, samples, names):
            x = samples.x(batch.indices).astype(executor.model.flat.dtype)
            require_finite(x, map(samples.name, batch.indices.tolist()))
            ranges.append(_range_of(x))
            for name, values in batch.values.items():
                means = channel_means(values)
                self.strengths[name] += np.abs(means).sum(axis=0)
                rows, columns = np.nan_to_num(means, nan=-np.inf).argmax(axis=0), np.arange(means.shape[1])
                better = means[rows, columns] > self.best[name]
                self.best[name][better] = means[rows, columns][better]
                self.best_samples[name][better] = batch.indices[rows][better]
        low, high = (np.stack([getattr(each, end) for each in ranges]) for end in ("low", "high"))
        self.range = Range(low.min(axis=0), np.mean([each.middle for each in ranges], axis=0), high.max(axis=0))
        if not (self.range.low < self.range.high).any():
            raise DataError(
                f"{samples.title}: in no channel does a number differ from another, so there is no range in which to "
                "make inputs; give others, or more of them"
            )

    def pick(self, name: str, pick: Pick) -> tuple[int, ...]:
        """The channels; all in their order where there are not too many, or no samples to rank them by."""
        strengths = self.strengths[name]
        if pick.channels or (self.samples is not None and len(strengths) > (pick.top or len(strengths))):
            return pick.of(strengths[:, None])
        return tuple(range(len(strengths)))[: pick.top]

    def ranks(self, name: str, pick: Pick) -> bool:
        """Whether the channels are in the order of their strengths."""
        few = pick.top is not None and len(self.strengths[name]) > pick.top
        return few and not pick.channels and self.samples is not None


def _range_of(x: Array) -> Range:
    numbers, axes = x.astype(np.float64), (0, *range(2, x.ndim))
    return Range(*(np.asarray(end(axis=axes, keepdims=True)[0]) for end in (numbers.min, numbers.mean, numbers.max)))


def _layer(
    graph: Graph, name: str, channels: Sequence[int], climbed: Climbed, seen: _Seen, names: Names | None
) -> LayerPeaks:
    shape = graph.shape_of(name)
    peaks = []
    for channel, value, noise in zip(channels, climbed.values.tolist(), climbed.start.tolist(), strict=True):
        called = names[channel] if names else channel_name(channel, shape[0])
        best = None if seen.samples is None else seen.samples.name(int(seen.best_samples[name][channel]))
        reached = None if best is None else float(seen.best[name][channel])
        peaks.append(Peak(channel, called, value, noise, best, reached))
    index = graph.place(name)
    return LayerPeaks(name, graph.by_name[name].layer.type, index, shape, tuple(peaks))


def _sheet(graph: Graph, layer: LayerPeaks, made: Row, best: Row | None) -> Sheet:
    channels = [peak.channel for peak in layer.peaks]
    stem = layer_stem(layer.index, layer.node, "activation-max", channels, layer.shape[0])
    title = tuple(dict.fromkeys((layer.node, layer.type, "activation-max", shape_text(layer.shape))))
    return Sheet(stem, (made,) if best is None else (made, best), title, notes=_notes(layer, graph))


def _made(layer: LayerPeaks, x: Array, picture: Callable[[Array], Array]) -> Row:
    tiles = tuple(
        Tile(f"{peak.name}  {peak.noise:.3g} -> {peak.value:.3g}", picture(each))
        for peak, each in zip(layer.peaks, x, strict=True)
    )
    number = "the channel's mean" if len(layer.shape) > 1 else "its value"
    return replace(_row(layer, f"made from noise: {number}, before -> after", tiles), array=x)


def _best(layer: LayerPeaks, seen: _Seen) -> Row | None:
    """None where there are no samples, and where they cannot be looked at."""
    if seen.samples is None:
        return None
    looks = [seen.samples.picture(int(seen.best_samples[layer.node][peak.channel])) for peak in layer.peaks]
    tiles = tuple(
        Tile(f"{peak.sample}  {peak.sample_value:.3g}", look)
        for peak, look in zip(layer.peaks, looks, strict=True)
        if look is not None
    )
    return _row(layer, f"the best of {seen.samples.title}", tiles) if len(tiles) == len(looks) else None


def _row(layer: LayerPeaks, title: str, tiles: tuple[Tile, ...]) -> Row:
    return Row(
        (title,),
        "activation-max",
        tiles,
        node=layer.node,
        type=layer.type,
        index=layer.index,
        shape=layer.shape,
        total=layer.shape[0],
    )


def _notes(layer: LayerPeaks, graph: Graph) -> tuple[str, ...]:
    dead = [peak.name for peak in layer.peaks if peak.value == peak.noise == 0]
    lower = [
        peak.name
        for peak in layer.peaks
        if peak.sample_value is not None and peak.value < peak.sample_value and peak.name not in dead
    ]
    readers = [graph.by_name[name] for name in graph.consumers[layer.node]]
    notes = []
    if len(layer.shape) == 3 and readers and all(reader.layer.rectifies for reader in readers):
        notes.append(f"a mean counts what is below 0 too: what {readers[0].name} lets through shows more of a pattern")
    if dead:
        notes.append(f"no noise has a gradient that leads away from 0: {', '.join(dead)}")
    if lower:
        notes.append(f"excited more by a sample than by what was made: {', '.join(lower)}; try more --steps")
    return tuple(notes)
