"""Stand-ins for layers: the same network, some of whose layers behave otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from cnncli.graph import Graph, Model
from cnncli.layers.base import Layer


class LayerProxy:
    """Everything is the layer's own, but for what a subclass overrides."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __getattr__(self, name: str) -> Any:
        if name == "layer":  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self.layer, name)


def with_layers(model: Model, layers: Mapping[str, LayerProxy]) -> Model:
    """The same numbers, in the same memory, with other layers at these nodes."""
    nodes = tuple(
        replace(node, layer=cast(Layer, layers[node.name])) if node.name in layers else node
        for node in model.graph.nodes
    )
    return replace(model, graph=Graph(model.graph.input_shape, nodes))
