"""What flows forward, and the gradients that flow back, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.statistics import Statistics, as_maps, ranking, statistics
from cnncli.inspection.views.classes import ClassScore
from cnncli.inspection.views.subject import Subject

if TYPE_CHECKING:
    from cnncli.engine.record import Recording
    from cnncli.graph import Graph, Model

Array = NDArray[Any]
Shape = tuple[int, ...]


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
