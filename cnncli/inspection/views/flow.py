"""What flows forward, and the gradients that flow back, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.census import Census
from cnncli.inspection.statistics import Statistics, as_maps, ranking, statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.classes import ClassScore

if TYPE_CHECKING:
    from cnncli.engine.record import Recording
    from cnncli.graph import Graph, Model

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LayerRow:
    """One value of the network, of one sample."""

    name: str
    type: str
    inputs: tuple[str, ...]
    shape: Shape
    statistics: Statistics
    ranked: tuple[int, ...]
    """The numbers of its maps, the strongest (mean |x|) first."""
    values: Array
    dead: tuple[int, ...] | None = None
    """The units of the value, channels or features, that were exactly 0 for every sample; None where there is only
    one sample."""

    @property
    def maps(self) -> Array:
        """The values as maps (T, H, W)."""
        return as_maps(self.values)


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientRow(LayerRow):
    """The gradient of the objective with respect to a value, whose maps are in the order of `mirrored_ranking`."""

    activation: Array
    """The value itself."""


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


@dataclass(frozen=True)
class FlowRow:
    """How strong the gradient is at one layer: of its value, and of all its parameters together."""

    name: str
    norm: float
    """|dL/da|."""
    parameter_norm: float | None
    """|dL/dW|; None where there are no parameters."""
    ratio: float | None
    """|dL/dW| / |W|; None where there are none, or all are zero."""


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
    """What was differentiated: over several samples the mean of their losses, else the sum."""
    layers: tuple[GradientRow, ...]
    parameters: tuple[ParameterRow, ...]
    flow: tuple[FlowRow, ...] = ()

    @property
    def distinct(self) -> tuple[GradientRow, ...]:
        """The layers without those that show nothing that their input does not show, as flatten."""
        rows = {row.name: row for row in self.layers}
        return tuple(row for row in self.layers if not _repeats(row, rows))

    def telling(self, most: int) -> tuple[GradientRow, ...]:
        """Those to be drawn where `most` are enough: all that are distinct; or, if they are more, the input, the output
        and those with weights of several axes; or, if these are more, some of them, evenly chosen."""
        rows = self.distinct
        if len(rows) > most:
            weighty = {parameter.node for parameter in self.parameters if len(parameter.shape) > 1}
            rows = tuple(row for row in rows if row.name in weighty or row in (rows[0], rows[-1]))
        if len(rows) > most:
            rows = tuple(rows[place * (len(rows) - 1) // (most - 1)] for place in range(most))
        return rows

    def weights(self, name: str) -> Iterator[ParameterRow]:
        """The gradients of a layer's weights of several axes."""
        return (row for row in self.parameters if row.node == name and len(row.shape) > 1)


def forward_view(
    recording: Recording,
    graph: Graph,
    subject: Subject,
    top: tuple[ClassScore, ...] = (),
    census: Census | None = None,
) -> ForwardView:
    """The input and every layer's output, in the order of the graph.

    The numbers are those of `census`, by default of all that was recorded.
    """
    census = census or Census.of(recording)
    rows = []
    for name in _in_order(graph, recording.activations):
        values = recording.activations[name][subject.sample]
        ranked = ranking(as_maps(values))
        rows.append(LayerRow(*_head(graph, name), census.activations[name], ranked, values, _dead(census, name)))
    return ForwardView(subject, tuple(rows), top)


def backward_view(recording: Recording, model: Model, subject: Subject, census: Census | None = None) -> BackwardView:
    """The gradients of the input, of every layer's output that the objective depends on, and of every parameter.

    The numbers are those of `census`, by default of all that was recorded and of a sum over the samples.
    """
    census = census or Census.of(recording)
    graph, rows = model.graph, []
    for name in _in_order(graph, recording.gradients):
        values, activation = recording.gradients[name][subject.sample], recording.activations[name][subject.sample]
        ranked = mirrored_ranking(as_maps(activation), as_maps(values))
        row = (*_head(graph, name), census.gradients[name], ranked, values, _dead(census, name))
        rows.append(GradientRow(*row, activation=activation))
    parameters = [
        _parameter_row(node, key, gradient, model.parameters[node][key])
        for node, gradients in recording.parameter_gradients.items()
        for key, gradient in gradients.items()
    ]
    return BackwardView(subject, census.objective, tuple(rows), tuple(parameters), tuple(_flow(rows, parameters)))


def _repeats(row: GradientRow, rows: Mapping[str, GradientRow]) -> bool:
    if len(row.inputs) != 1 or row.inputs[0] not in rows:
        return False
    before = rows[row.inputs[0]]
    return _equal(row.values, before.values) and _equal(row.activation, before.activation)


def _equal(a: Array, b: Array) -> bool:
    return np.array_equal(a.ravel(), b.ravel(), equal_nan=True)


def mirrored_ranking(activations: Array, gradients: Array) -> tuple[int, ...]:
    """The numbers of the maps, both (T, H, W), by falling mean |a dL/da|.

    That is the change of the objective, to first order, if the map's values were 0 (Molchanov et al., Pruning
    Convolutional Neural Networks for Resource Efficient Inference, 2017), without letting positions cancel.
    """
    with np.errstate(all="ignore"):
        return ranking(activations * gradients)


def _in_order(graph: Graph, arrays: dict[str, Array]) -> Iterator[str]:
    return (name for name in graph.consumers if name in arrays)


def _head(graph: Graph, name: str) -> tuple[str, str, tuple[str, ...], Shape]:
    """A value's name, type, inputs and shape."""
    node = graph.by_name.get(name)
    return (name, node.layer.type, node.inputs, node.shape) if node else (name, INPUT, (), graph.input_shape)


def _dead(census: Census, name: str) -> tuple[int, ...] | None:
    return census.silent[name] if census.samples > 1 else None


def _parameter_row(node: str, key: str, gradient: Array, weight: Array) -> ParameterRow:
    of_gradient, weight_norm = statistics(gradient), statistics(weight).norm
    ratio = of_gradient.norm / weight_norm if weight_norm else None
    return ParameterRow(node, key, gradient.shape, of_gradient, weight_norm, ratio, gradient)


def _flow(rows: Sequence[LayerRow], parameters: Sequence[ParameterRow]) -> Iterator[FlowRow]:
    for row in rows:
        mine = [parameter for parameter in parameters if parameter.node == row.name]
        norm = math.hypot(*(parameter.gradient.norm for parameter in mine))
        weight = math.hypot(*(parameter.weight_norm for parameter in mine))
        yield FlowRow(row.name, row.statistics.norm, norm if mine else None, norm / weight if weight else None)
