"""Tensors as pictures: feature maps, filters and gradients, each a panel of maps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.graph import INPUT
from cnncli.inspection.names import only_nodes
from cnncli.inspection.statistics import Statistics, as_maps, statistics, strengths
from cnncli.inspection.views.pick import STRONGEST, Pick
from cnncli.inspection.views.subject import Subject

if TYPE_CHECKING:
    from cnncli.engine.record import Recording
    from cnncli.graph import Graph, Model, Node

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Panel:
    """One tensor to be drawn, as blocks of maps: channels, or filters with a map for each input channel."""

    index: int
    """The place in the network; the input has 0."""
    node: str
    type: str
    what: str
    """"activation", "gradient", "weight", "weight-gradient"."""
    shape: Shape
    """Of the whole tensor."""
    signed: bool
    statistics: Statistics
    maps: Array
    """(B, K, H, W): K is 1 but for filters."""
    inside: int
    """How many maps each block has in all; K may be fewer."""
    channels: tuple[int, ...]
    """The numbers of the B blocks; empty if the tensor has no channels: one block then shows it whole."""
    ranked: bool
    """The channels are ordered by strength, the strongest first."""
    total: int
    """How many channels the tensor has."""
    array: Array


@dataclass(frozen=True, eq=False)
class PanelsView:
    """Pictures of many tensors; `view` is "feature-maps", "filters" or "gradients"."""

    view: str
    subject: Subject
    panels: tuple[Panel, ...]

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity."""
        return tuple(f"{panel.node} ({panel.what})" for panel in self.panels if panel.statistics.nonfinite)


def feature_maps(recording: Recording, graph: Graph, subject: Subject, pick: Pick = STRONGEST) -> PanelsView:
    """Every layer's output. Raises UsageError if nothing fits `pick`."""
    panels = _value_panels(recording.activations, graph, subject, pick, "activation")
    return _view("feature-maps", subject, panels, pick)


def gradients(recording: Recording, model: Model, subject: Subject, pick: Pick = STRONGEST) -> PanelsView:
    """The gradients of every layer's output, and of every parameter tensor that has filters.

    Raises UsageError if nothing fits `pick`.
    """
    values = _value_panels(recording.gradients, model.graph, subject, pick, "gradient")
    filters = _filter_panels(recording.parameter_gradients, model.graph, pick, "-gradient")
    return _view("gradients", subject, [*values, *filters], pick)


def filters(model: Model, pick: Pick = STRONGEST) -> PanelsView:
    """Every parameter tensor with at least two axes. Raises UsageError if nothing fits `pick`."""
    return _view("filters", Subject(""), _filter_panels(model.parameters, model.graph, pick, ""), pick)


def _view(view: str, subject: Subject, panels: Iterable[Panel], pick: Pick) -> PanelsView:
    found = sorted(panels, key=lambda panel: panel.index)
    if found:
        _require_channels(found, pick.channels)
    kept = tuple(panel for panel in found if panel.maps.size)
    if not kept:
        where = f"in {', '.join(pick.nodes)}" if pick.nodes else "in this network"
        raise UsageError(f"there is nothing {where} that '{view}' could draw")
    return PanelsView(view, subject, kept)


def _require_channels(panels: Sequence[Panel], channels: Sequence[int]) -> None:
    """Each must be one of some tensor's; those with fewer are left out."""
    largest = max(panels, key=lambda panel: panel.total)
    missing = [channel for channel in channels if channel >= largest.total]
    if missing:
        most = f"{largest.node} has {largest.total}" + (", the most of all" if len(panels) > 1 else "")
        raise UsageError(f"--channels: there is no channel {missing[0]}; {most}, counted from 0")


def _value_panels(
    arrays: Mapping[str, Array], graph: Graph, subject: Subject, pick: Pick, what: str
) -> Iterable[Panel]:
    names = _chosen(graph, pick, (name for name in arrays if not _repeats(graph, name, arrays)))
    for index, name in enumerate(graph.consumers):
        if name not in names or name not in arrays:
            continue
        array = arrays[name][subject.sample]
        node = graph.by_name.get(name)
        maps = as_maps(array)[:, None]  # (C, 1, H, W)
        yield _panel(index, node, what, array, maps, pick, has_channels=array.ndim == 3 and len(maps) == array.shape[0])


def _filter_panels(
    parameters: Mapping[str, Mapping[str, Array]], graph: Graph, pick: Pick, suffix: str
) -> Iterable[Panel]:
    names = _chosen(graph, pick, graph.by_name)
    for index, node in enumerate(graph.nodes, start=1):
        for key, array in parameters.get(node.name, {}).items():
            if node.name in names and array.ndim >= 2:
                maps = _as_filters(array, graph, node)
                yield _panel(index, node, key + suffix, array, maps, pick, has_channels=len(maps) == len(array))


def _repeats(graph: Graph, name: str, arrays: Mapping[str, Array]) -> bool:
    """Whether a value shows nothing that its input does not show (flatten, identity, dropout at inference)."""
    if name == INPUT or not graph.by_name[name].layer.aliases_input:
        return False
    (source,) = graph.by_name[name].inputs
    return source in arrays and np.array_equal(arrays[name].ravel(), arrays[source].ravel(), equal_nan=True)


def _chosen(graph: Graph, pick: Pick, default: Iterable[str]) -> Collection[str]:
    return only_nodes(graph, pick.nodes) if pick.nodes else set(default)


def _as_filters(array: Array, graph: Graph, node: Node) -> Array:
    """Weights as (O, I, h, w). What follows a flattened image is seen as that image; other matrices as one map."""
    if array.ndim == 4:
        return array
    name = node.inputs[0]
    while name != INPUT and len(graph.shape_of(name)) == 1 and graph.by_name[name].layer.aliases_input:
        name = graph.by_name[name].inputs[0]  # flatten and what stands behind it
    before = graph.shape_of(name)
    if array.ndim == 2 and len(before) == 3 and before[1:] != (1, 1) and int(np.prod(before)) == array.shape[1]:
        return array.reshape(len(array), *before)
    return array.reshape(1, 1, len(array), -1)


def _panel(
    index: int, node: Node | None, what: str, array: Array, maps: Array, pick: Pick, *, has_channels: bool
) -> Panel:
    """`maps` (B, K, H, W) of all channels; the panel has none where none of them is picked."""
    channels = pick.of(maps) if has_channels else ()
    if has_channels:
        maps = maps[list(channels)]
    inside = maps.shape[1]
    # Of a filter's many input channels the strongest, in their order.
    if maps.size and pick.top is not None and inside > max(pick.top, 1):
        strongest = np.argsort(-strengths(maps.swapaxes(0, 1)), kind="stable")[: max(pick.top, 1)]
        maps = maps[:, np.sort(strongest)]
    of_all = statistics(array)
    return Panel(
        index=index,
        node=node.name if node else INPUT,
        type=node.layer.type if node else INPUT,
        what=what,
        shape=array.shape,
        signed=what != "activation" or of_all.min < 0,
        statistics=of_all,
        maps=maps,
        inside=inside,
        channels=channels,
        ranked=has_channels and not pick.channels and pick.top is not None,
        total=len(array) if has_channels else 1,
        array=array,
    )
