"""The `model` section: a list of layers to a graph with every shape known.

Goes on after a mistake with whatever does not depend on it, so that all mistakes are found at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cnncli.config.choice import choose
from cnncli.config.naming import NAME, given_name, names_of
from cnncli.config.place import Place, Problems
from cnncli.config.translate import validate
from cnncli.config.tree import ListNode, MapNode, ScalarNode, Tree, plain
from cnncli.config.wording import choices, did_you_mean, shown
from cnncli.errors import ShapeError
from cnncli.graph import INPUT, Graph, Node
from cnncli.layers import LAYERS
from cnncli.layers.base import Layer, Shape
from cnncli.wording import plural

NODE_KEYS = ("type", "name", "inputs")
"""Keys of a layer in YAML that are not options of the layer."""

LARGEST = 2**28
"""The most parameters, and the most numbers that the outputs for one sample hold: 1 GiB in float32."""


class ModelSection(BaseModel):
    """The network: the shape of what goes in, and the layers."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    input: tuple[Annotated[int, Field(ge=1, le=2**20)], ...] = Field(
        min_length=1, max_length=3, description="[channels, height, width], [channels, length] or [features]"
    )


def read_model(node: Tree, problems: Problems) -> Graph | None:
    """The graph of a `model` section; None, and problems, where there is a mistake in it."""
    before = len(problems)
    if not isinstance(node, MapNode):
        problems.add(node.place, f"'model' must be a mapping with input and layers, but is {shown(plain(node))}")
        return None
    section = validate(ModelSection, node.without("layers"), "model", problems, other_keys=("layers",))
    layers = node.get("layers")
    if layers is None:
        problems.add(node.place, "model needs 'layers': a list of layers")
        return None
    if not isinstance(layers, ListNode) or not layers.items:
        problems.add(layers.place, f"'layers' must be a list of one layer or more, but is {shown(plain(layers))}")
        return None
    network = _Network(problems, {INPUT: section.input if section else None})
    network.read(layers)
    if section is None or len(problems) > before:
        return None
    return Graph(section.input, tuple(network.nodes))


@dataclass
class _Network:
    """What is known of the layers read so far."""

    problems: Problems
    shapes: dict[str, Shape | None]
    """Of every value that a layer may read; None where an earlier mistake hides it."""

    nodes: list[Node] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    read_values: set[str] = field(default_factory=set)
    inputs_known: bool = True
    parameters: int = 0
    activations: int = 0

    def read(self, layers: ListNode) -> None:
        names = names_of(layers)
        for index, (item, name) in enumerate(zip(layers.items, names, strict=True)):
            previous = names[index - 1] if index else INPUT
            inputs = self._inputs(item, previous, names[index:])
            self.inputs_known = self.inputs_known and inputs is not None
            self.read_values.update(inputs or ())
            self._check_name(item)
            layer = self._layer(item, inputs)
            shape = None
            if name is not None and layer is not None and inputs is not None:
                shape = self._place(item, name, layer, inputs)
            if name is not None and name not in self.places:
                self.places[name] = item.place
                self.shapes[name] = shape
        if self.inputs_known and None not in names:
            self._check_dead_ends()

    def _check_name(self, item: Tree) -> None:
        given = item.get("name") if isinstance(item, MapNode) else None
        if given is None:
            return
        name = given_name(item)
        if name is None or not NAME.fullmatch(name):
            rule = "a name is made of letters, digits and '_' and starts with no digit"
            self.problems.add(given.place, f"{rule}, but this is {shown(plain(given))}")
        elif name == INPUT:
            self.problems.add(given.place, f"the name '{INPUT}' is taken by the network's input; choose another")
        elif name in self.places:
            line = self.places[name].on_line
            self.problems.add(
                given.place, f"the name {shown(name)} is already taken by the layer{line}; choose another"
            )

    def _inputs(self, item: Tree, previous: str | None, later: Sequence[str | None]) -> tuple[str, ...] | None:
        """The names that a layer reads; None where one is wrong or the layer before has none."""
        given = item.get("inputs") if isinstance(item, MapNode) else None
        if given is None:
            return None if previous is None else (previous,)
        sources = given.items if isinstance(given, ListNode) else (given,)
        if not sources:
            self.problems.add(given.place, "'inputs' is empty; name at least one earlier layer, or leave it out")
            return None
        found = [name for source in sources if (name := self._source(source, later)) is not None]
        return tuple(found) if len(found) == len(sources) else None

    def _source(self, source: Tree, later: Sequence[str | None]) -> str | None:
        """One of the names that a layer reads; `later` are its own and those after it."""
        name = source.value if isinstance(source, ScalarNode) else None
        known = [INPUT, *self.places]
        if not isinstance(name, str):
            message = f"'inputs' must be a list of names of earlier layers, but holds {shown(plain(source))}"
        elif name in known:
            return name
        elif name == later[0]:
            message = f"{shown(name)} cannot read its own output; name an earlier layer"
        elif name in later:
            message = f"{shown(name)} comes later; a layer reads layers before it only: move {shown(name)} up"
        else:
            message = f"unknown layer {shown(name)}{did_you_mean(name, known)} (earlier: {choices(known)})"
        self.problems.add(source.place, message)
        return None

    def _layer(self, item: Tree, inputs: tuple[str, ...] | None) -> Layer | None:
        """The layer with its options; None where they are wrong, or where it cannot have so many inputs."""
        chosen = choose(item, LAYERS, "layer", self.problems)
        if chosen is None:
            return None
        kind, options = chosen
        fits = inputs is None or self._fits_arity(options, kind, len(inputs))
        layer = validate(kind, options.without(*NODE_KEYS), kind.type, self.problems, other_keys=NODE_KEYS)
        return layer if fits else None

    def _fits_arity(self, item: MapNode, kind: type[Layer], count: int) -> bool:
        least, most = kind.arity
        if count < least:
            fix = "write inputs: [name, name]"
        elif most is not None and count > most:
            fix = "join them with add or concat before"
        else:
            return True
        wanted = plural(least, "input") if least == most else f"at least {plural(least, 'input')}"
        place = (item.get("inputs") or item).place
        self.problems.add(place, f"{kind.type} takes {wanted}, but has {count}; {fix}")
        return False

    def _place(self, item: Tree, name: str, layer: Layer, inputs: tuple[str, ...]) -> Shape | None:
        """Puts the layer into the graph, if all that it reads is known, and gives its output's shape."""
        shapes = tuple(shape for source in inputs if (shape := self.shapes[source]) is not None)
        if len(shapes) < len(inputs):
            return None
        try:
            shape = layer.infer(shapes)
        except ShapeError as error:
            self.problems.add(_fault(item, error.option).place, f"{shown(name)}: {error.message}")
            return None
        excess = self._excess(name, layer, shapes, shape)
        if excess:
            self.problems.add(item.place, f"too large: {excess}; make the layer or its input smaller")
            return None
        self.nodes.append(Node(name, layer, inputs, shapes, shape))
        return shape

    def _excess(self, name: str, layer: Layer, inputs: tuple[Shape, ...], shape: Shape) -> str:
        """What would be more than any memory should hold, from integers alone; empty where nothing is."""
        limit = f"more than 2^28 = {LARGEST}"
        size = math.prod(shape)
        activations = self.activations + size
        if activations > LARGEST:
            product = " x ".join(map(str, shape))
            return (
                f"with the output of {shown(name)}, {product}, the network has {activations} numbers a sample, {limit}"
            )
        # An output number is a sum of so many products, each with a weight of its own; positions share them.
        each = layer.macs(inputs, shape) // size
        parameters = self.parameters + shape[0] * each
        if parameters > LARGEST:
            return f"with {shown(name)}, {shape[0]} x {each} weights, the network has {parameters} parameters, {limit}"
        self.activations, self.parameters = activations, parameters
        return ""

    def _check_dead_ends(self) -> None:
        *inner, _ = self.places
        for name in inner:
            if name not in self.read_values:
                fix = "name it in the inputs of a later layer, or remove it"
                self.problems.add(self.places[name], f"nothing reads the output of {shown(name)}; {fix}")


def _fault(item: Tree, option: str | None) -> Tree:
    """The option of a layer that is at fault, where it is written; otherwise the layer."""
    value = item.get(option) if isinstance(item, MapNode) and option is not None else None
    return value or item
