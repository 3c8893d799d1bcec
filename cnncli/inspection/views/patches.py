"""What excites a channel most: parts of the samples, cut to what its largest value sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import OutcomeError, UsageError
from cnncli.graph import INPUT
from cnncli.inspection.largest import Largest
from cnncli.inspection.names import only_nodes, with_positions
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.receptive import Box, box_of, seen
from cnncli.inspection.samples import Samples, batches
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.wording import channel_name, shape_text

if TYPE_CHECKING:
    from cnncli.engine import Executor
    from cnncli.graph import Graph, Model

Array = NDArray[Any]
Shape = tuple[int, ...]

OUTSIDE = (70, 70, 110)
"""The colour of what lies outside the picture, where the network sees zeros."""
FEW = 12
"""Channels that are named."""


@dataclass(frozen=True, eq=False)
class Patch:
    """One sample's largest value in a channel, and where it is."""

    input: str
    """As --input takes it: "test:17"."""
    value: float
    at: tuple[int, ...]
    """Row and column in the channel; empty where it has no positions."""
    box: Box | None
    """The part of the input that this value sees, which may reach into the padding; None where that is no image."""
    padded: bool
    """Whether some of what is shown lies outside the picture."""
    picture: Array
    """That part as it looks, (H, W, 3); all of the input where there is no box, and in a direction in which the box is
    the larger."""


@dataclass(frozen=True)
class ChannelPatches:
    """The samples that excite one channel most, the largest value first."""

    channel: int
    patches: tuple[Patch, ...]


@dataclass(frozen=True)
class LayerPatches:
    """The channels of one layer."""

    node: str
    type: str
    index: int
    """Its place in the network."""
    shape: Shape
    channels: tuple[ChannelPatches, ...]
    dead: tuple[int, ...]
    """The channels that are 0 for all samples: there is nothing to show of them."""
    nonfinite: int
    """How many of the layer's numbers are NaN or infinite; NaN is no largest value."""

    @property
    def notes(self) -> tuple[str, ...]:
        """How to read the pictures, and what is missing."""
        patches = [patch for channel in self.channels for patch in channel.patches]
        notes = list(dict.fromkeys(map(_seen_text, patches)))[:1]
        if any(patch.padded for patch in patches):
            notes.append("blue: outside the image, where the network sees zeros")
        if self.dead:
            names = [channel_name(channel, self.shape[0]) for channel in self.dead]
            more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
            notes.append(f"{self.node}: 0 for all of these samples: {', '.join(names[:FEW])}{more}")
        return tuple(notes)


@dataclass(frozen=True)
class PatchesView:
    """What excites the channels of some layers most."""

    samples: str
    """Which they are: "test"."""
    count: int
    layers: tuple[LayerPatches, ...]

    @property
    def board(self) -> Board:
        """A sheet for each layer, a row for each channel."""
        sheets = tuple(_sheet(layer) for layer in self.layers if layer.channels)
        notes = tuple(note for layer in self.layers if not layer.channels for note in layer.notes)
        return Board("patches", Subject(self.samples), sheets, notes)


def patches_view(
    executor: Executor, samples: Samples, pick: Pick = STRONGEST, *, count: int = 8, progress: Progress = silent
) -> PatchesView:
    """For each channel that `pick` says the `count` samples with the largest value, at most one patch of each.

    Without layers in `pick` that of `default_layer`; strong are the channels with the largest values. Raises
    UsageError, and OutcomeError where there is nothing to show. The idea: Zeiler and Fergus, "Visualizing and
    understanding convolutional networks", 2014, section 3.
    """
    graph = executor.model.graph
    chosen = only_nodes(graph, pick.nodes or (default_layer(executor.model),))
    names = [name for name in graph.consumers if name in chosen]
    pick.require({name: graph.shape_of(name)[0] for name in names})
    found = {name: Largest(graph.shape_of(name), count) for name in names}
    for batch in batches(executor, samples, names, progress):
        for name, values in batch.values.items():
            found[name].add(batch.indices, values)
    layers = tuple(_layer(graph, name, found[name], samples, pick) for name in names)
    if not any(layer.channels for layer in layers):
        what = "NaN" if any(layer.nonfinite for layer in layers) else "0"
        raise OutcomeError(f"{', '.join(names)}: {what} for all of these {samples.count:,} samples, in every channel")
    return PatchesView(samples.title, samples.count, layers)


def default_layer(model: Model) -> str:
    """The last value with several positions, where channels say most and it is still known where; in a network
    without, the last layer with weights."""
    local = [name for name in with_positions(model.graph) if name != INPUT]
    weighty = [node.name for node in model.graph.nodes if node.name in model.parameters]
    return (local or weighty or [model.graph.output.name])[-1]


def _layer(graph: Graph, name: str, found: Largest, samples: Samples, pick: Pick) -> LayerPatches:
    node = graph.by_name.get(name)
    every = (
        ChannelPatches(channel, tuple(_patches(graph, name, found, channel, samples)))
        for channel in pick.of(np.maximum(found.values.T, 0))
        if not found.dead[channel]
    )
    return LayerPatches(
        node=name,
        type=node.layer.type if node else INPUT,
        index=graph.place(name),
        shape=graph.shape_of(name),
        channels=tuple(channel for channel in every if channel.patches),
        dead=tuple(np.flatnonzero(found.dead).tolist()),
        nonfinite=found.nonfinite,
    )


def _patches(graph: Graph, name: str, found: Largest, channel: int, samples: Samples) -> Iterator[Patch]:
    kept = zip(found.samples[:, channel], found.values[:, channel], found.places[:, channel], strict=True)
    for sample, value, place in kept:
        if value == -np.inf:  # it is NaN everywhere
            continue
        at = tuple(int(each) for each in np.unravel_index(place, found.positions)) if found.positions else ()
        part = seen(graph, name, (channel, *at))
        box = box_of(part) if len(graph.input_shape) == 3 and all(part) else None
        picture = samples.picture(int(sample))
        if picture is None:
            raise UsageError(f"{samples.name(int(sample))} cannot be looked at: it is no image, grey or in colour")
        height, width = picture.shape[:2]
        top, left, bottom, right = shown = frame(box, height, width)
        padded = top < 0 or left < 0 or bottom > height or right > width
        yield Patch(samples.name(int(sample)), float(value), at, box, padded, crop(picture, shown))


def frame(box: Box | None, height: int, width: int) -> Box:
    """The part of a picture that is shown: the box; in a direction in which the picture is smaller, all of it."""
    top, left, bottom, right = box or (0, 0, height, width)
    if bottom - top > height:
        top, bottom = 0, height
    if right - left > width:
        left, right = 0, width
    return (top, left, bottom, right)


def crop(picture: Array, frame: Box) -> Array:
    """The part of a picture (H, W) or (H, W, 3) in the frame, in colour, OUTSIDE around it."""
    colors = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    top, left, bottom, right = frame
    part = np.full((bottom - top, right - left, 3), OUTSIDE, np.uint8)
    rows, columns = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    inside = colors[rows, columns]
    part[rows.start - top :, columns.start - left :][: inside.shape[0], : inside.shape[1]] = inside
    return part


def _seen_text(patch: Patch) -> str:
    """How much of the input its value sees."""
    height, width = patch.picture.shape[:2]
    if patch.box is None or (patch.box[2] - patch.box[0] > height and patch.box[3] - patch.box[1] > width):
        return "each value sees the whole input"
    return f"each value sees {patch.box[2] - patch.box[0]}x{patch.box[3] - patch.box[1]} pixels of the input"


def _sheet(layer: LayerPatches) -> Sheet:
    title = tuple(dict.fromkeys((layer.node, layer.type, "patches", shape_text(layer.shape))))
    rows = tuple(_row(layer, channel) for channel in layer.channels)
    return Sheet(layer_stem(layer.index, layer.node, "patches"), rows, title, notes=layer.notes)


def _row(layer: LayerPatches, channel: ChannelPatches) -> Row:
    return Row(
        (channel_name(channel.channel, layer.shape[0]),),
        "patches",
        tuple(Tile(f"{patch.input}: {patch.value:.3g}", patch.picture) for patch in channel.patches),
        node=layer.node,
        type=layer.type,
        index=layer.index,
        shape=layer.shape,
    )
