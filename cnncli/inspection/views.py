"""What can be seen of a network, as plain data: every view is a frozen dataclass and the function that fills it.

Arrays in a view are of one sample, without a batch axis, in PyTorch's order; statistics are over all samples.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.graph import INPUT
from cnncli.inspection.statistics import Statistics, as_maps, ranking, statistics, strengths

if TYPE_CHECKING:
    from cnncli.engine.record import Recording
    from cnncli.graph import Graph, Model, Node

Array = NDArray[Any]
Shape = tuple[int, ...]
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Subject:
    """What the network was shown, what it made of it, and what is differentiated: ready to be printed."""

    input: str
    """Where it came from: "test:17", a file name."""
    samples: int = 1
    sample: int = 0
    """Which of the samples the pictures and values show."""
    picture: Array | None = None
    """That sample as it looks, de-normalised: uint8 (H, W) or (H, W, 3)."""
    true: str | None = None
    predicted: str | None = None
    target: str | None = None
    """The objective of a gradient: "loss of label Coat", "logit of class Coat", "given upstream"."""


@dataclass(frozen=True)
class ClassScore:
    """One class and how probable the network finds it."""

    class_: int
    name: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one input."""

    input: str
    top: tuple[ClassScore, ...]


@dataclass(frozen=True, eq=False)
class LayerRow:
    """One value of the network, or the gradient with respect to it."""

    name: str
    type: str
    inputs: tuple[str, ...]
    shape: Shape
    statistics: Statistics
    ranked: tuple[int, ...]
    """The numbers of its maps, the strongest (mean |x|) first."""
    values: Array

    @property
    def maps(self) -> Array:
        """The values as maps (T, H, W)."""
        return as_maps(self.values)


@dataclass(frozen=True, eq=False)
class ParameterRow:
    """The gradient of one parameter tensor beside the tensor itself."""

    node: str
    key: str
    shape: Shape
    gradient: Statistics
    weight_norm: float
    ratio: float | None
    """|gradient| / |weight|; None where the weight is all zero."""
    values: Array
    """The gradient."""


@dataclass(frozen=True, eq=False)
class ForwardView:
    """What flows forward."""

    subject: Subject
    layers: tuple[LayerRow, ...]
    top: tuple[ClassScore, ...] = ()


@dataclass(frozen=True, eq=False)
class BackwardView:
    """What flows back."""

    subject: Subject
    objective: float | None
    layers: tuple[LayerRow, ...]
    parameters: tuple[ParameterRow, ...]


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


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that one output position sees, (height, width); strides and padding are the input's."""

    size: Pair
    stride: Pair
    padding: Pair


@dataclass(frozen=True)
class SummaryRow:
    """One layer; `receptive_field` is None where every output sees the whole input."""

    name: str
    type: str
    inputs: tuple[str, ...]
    shape: Shape
    parameters: int
    macs: int
    receptive_field: ReceptiveField | None


@dataclass(frozen=True)
class SummaryView:
    """The network without numbers; MACs are multiply-accumulate operations for one sample."""

    input_shape: Shape
    layers: tuple[SummaryRow, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Series:
    """One line of a chart, a number (or nan) an epoch."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """Series over the same epochs."""

    title: str
    epochs: tuple[float, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True)
class CurvesView:
    """How the metrics went."""

    name: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Pick:
    """Which layers (none given: all that compute something) and which of their channels are drawn:
    those given, in that order; or the `top` strongest; or, if that is None, all in their order."""

    nodes: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    top: int | None = 64

    def of(self, maps: Array) -> tuple[int, ...]:
        """The channels of maps (C, ...)."""
        if self.channels:
            return tuple(channel for channel in self.channels if channel < len(maps))
        return tuple(range(len(maps))) if self.top is None else ranking(maps)[: self.top]


STRONGEST = Pick()


def parse_channels(text: str) -> tuple[int, ...]:
    """ "0,3,8-10" to (0, 3, 8, 9, 10). Raises UsageError."""
    channels: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part.strip())
        if not found:
            raise UsageError(f"--channels {text}: {part!r} is neither a channel nor a range; write it as 0,3,8-10")
        first, last = found.groups()
        channels += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(channels))


def top_classes(probabilities: Array, names: Sequence[str] | None, count: int = 5) -> tuple[ClassScore, ...]:
    """The `count` largest of (K,), in falling order; classes without a name are called by their number."""
    order = np.argsort(-probabilities, kind="stable")[:count].tolist()
    return tuple(ClassScore(k, names[k] if names else str(k), float(probabilities[k])) for k in order)


def forward_view(recording: Recording, graph: Graph, subject: Subject, top: tuple[ClassScore, ...] = ()) -> ForwardView:
    """The input and every layer's output, in the order of the graph."""
    return ForwardView(subject, tuple(_rows(recording.activations, graph, subject.sample)), top)


def backward_view(recording: Recording, model: Model, subject: Subject) -> BackwardView:
    """The gradients of the input, of every layer's output that the objective depends on, and of every parameter."""
    parameters = tuple(
        _parameter_row(node, key, gradient, model.parameters[node][key])
        for node, gradients in recording.parameter_gradients.items()
        for key, gradient in gradients.items()
    )
    objective = None if recording.values is None else float(recording.values[subject.sample])
    return BackwardView(subject, objective, tuple(_rows(recording.gradients, model.graph, subject.sample)), parameters)


def _rows(arrays: Mapping[str, Array], graph: Graph, sample: int) -> Iterable[LayerRow]:
    for name in graph.consumers:
        if name not in arrays:
            continue
        node = graph.by_name.get(name)
        values = arrays[name][sample]
        yield LayerRow(
            name=name,
            type=node.layer.type if node else INPUT,
            inputs=node.inputs if node else (),
            shape=values.shape,
            statistics=statistics(arrays[name]),
            ranked=ranking(as_maps(values)),
            values=values,
        )


def _parameter_row(node: str, key: str, gradient: Array, weight: Array) -> ParameterRow:
    of_gradient, weight_norm = statistics(gradient), statistics(weight).norm
    ratio = of_gradient.norm / weight_norm if weight_norm else None
    return ParameterRow(node, key, gradient.shape, of_gradient, weight_norm, ratio, gradient)


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


def _view(view: str, subject: Subject, panels: Iterable[Panel | None], pick: Pick) -> PanelsView:
    kept = sorted((panel for panel in panels if panel is not None), key=lambda panel: panel.index)
    if not kept and pick.channels:
        raise UsageError(f"--channels: no layer has channel {min(pick.channels)}; channels are counted from 0")
    if not kept:
        where = f"in {', '.join(pick.nodes)}" if pick.nodes else "in this network"
        raise UsageError(f"there is nothing {where} that '{view}' could draw")
    return PanelsView(view, subject, tuple(kept))


def _value_panels(
    arrays: Mapping[str, Array], graph: Graph, subject: Subject, pick: Pick, what: str
) -> Iterable[Panel | None]:
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
) -> Iterable[Panel | None]:
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
    (first, *others) = graph.by_name[name].inputs
    if others or first not in arrays:
        return False
    return np.array_equal(arrays[name].ravel(), arrays[first].ravel(), equal_nan=True)


def _chosen(graph: Graph, pick: Pick, default: Iterable[str]) -> Collection[str]:
    for name in pick.nodes:
        if name not in graph.consumers:
            near = difflib.get_close_matches(name, graph.consumers, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(graph.consumers)}"
            raise UsageError(f"the network has no layer {name!r}; {hint}")
    return set(pick.nodes or default)


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
) -> Panel | None:
    """`maps` (B, K, H, W) of all channels; None if none of them is picked."""
    channels = pick.of(maps) if has_channels else ()
    if has_channels:
        maps = maps[list(channels)]
    if not maps.size:
        return None
    inside = maps.shape[1]
    if pick.top is not None and inside > max(pick.top, 1):  # of a filter's many input channels the strongest, in order
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


def summary_view(model: Model) -> SummaryView:
    """Shapes, parameters, work and receptive fields."""
    fields = receptive_fields(model.graph)
    rows = tuple(
        SummaryRow(
            name=node.name,
            type=node.layer.type,
            inputs=node.inputs,
            shape=node.shape,
            parameters=sum(array.size for array in model.parameters.get(node.name, {}).values()),
            macs=node.layer.macs(node.input_shapes, node.shape),
            receptive_field=fields[node.name],
        )
        for node in model.graph.nodes
    )
    parameters, macs = sum(row.parameters for row in rows), sum(row.macs for row in rows)
    return SummaryView(model.graph.input_shape, rows, parameters, macs)


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField | None]:
    """For every value, from the layers' windows: one with extent k, stride s and p before it makes of size r, stride j
    and padding q the size r + (k - 1) * j, stride j * s and padding q + p * j.

    Where branches meet: what any of them sees. Source: Araujo, Norris, Sim, "Computing receptive fields of
    convolutional neural networks", Distill 2019.
    """
    fields: dict[str, ReceptiveField | None] = {INPUT: ReceptiveField((1, 1), (1, 1), (0, 0))}
    for node in graph.nodes:
        sources = [fields[name] for name in node.inputs]
        seen = [source for source in sources if source is not None]
        window = node.layer.window()
        fields[node.name] = None if window is None or len(seen) < len(sources) else _widen(seen, *window)
    return fields


def _widen(sources: Sequence[ReceptiveField], extent: Pair, stride: Pair, before: Pair) -> ReceptiveField:
    axes = []
    for axis in (0, 1):
        step = max(source.stride[axis] for source in sources)
        padding = max(source.padding[axis] for source in sources)
        end = max(source.size[axis] - source.padding[axis] for source in sources)
        size = padding + end + (extent[axis] - 1) * step
        axes.append((size, step * stride[axis], padding + before[axis] * step))
    (height, width) = axes
    return ReceptiveField((height[0], width[0]), (height[1], width[1]), (height[2], width[2]))


def curves_view(rows: Sequence[Mapping[str, object]], name: str = "") -> CurvesView:
    """From the rows of metrics.csv (texts or numbers): `train_x` and `val_x` share the chart x; `lr` has its own,
    unless it is constant.

    What is missing or no number is a gap (nan). Raises UsageError if there is nothing to draw.
    """
    if not rows:
        raise UsageError(f"{name or 'metrics'}: no epoch has ended yet, so there are no curves to draw")
    epochs = tuple(_as_number(row.get("epoch", place)) for place, row in enumerate(rows, start=1))
    charts: dict[str, list[Series]] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        part, _, metric = key.partition("_")
        title, label = (metric, part) if part in ("train", "val") and metric else ("learning rate", key)
        values = tuple(_as_number(row.get(key)) for row in rows)
        if (title == metric or (key == "lr" and len(set(values)) > 1)) and np.isfinite(values).any():
            charts.setdefault(title, []).append(Series(label, values))
    if not charts:
        raise UsageError(f"{name or 'metrics'}: there is no finite number to draw")
    last = sorted(charts, key=lambda title: title == "learning rate")
    return CurvesView(name, tuple(Chart(title, epochs, tuple(charts[title])) for title in last))


def _as_number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
