"""Ways through a network."""

from __future__ import annotations

from cnncli.graph import INPUT, Graph, build
from cnncli.layers import LAYERS


def residual() -> Graph:
    """conv, and its sum with the input's other way; then classes, and beside them what nobody reads."""
    conv = LAYERS["conv2d"](out_channels=2, kernel_size=3, padding=1)
    return build(
        (2, 4, 4),
        [
            ("conv", conv, (INPUT,)),
            ("relu", LAYERS["relu"](), ("conv",)),
            ("sum", LAYERS["add"](), ("relu", INPUT)),
            ("flat", LAYERS["flatten"](), ("sum",)),
            ("same", LAYERS["identity"](), ("flat",)),
            ("side", LAYERS["tanh"](), ("conv",)),
            ("classes", LAYERS["linear"](out_features=3), ("same",)),
        ],
    )


def names(graph: Graph | None) -> list[str]:
    assert graph is not None
    return [node.name for node in graph.nodes]


def test_places_begin_with_the_input() -> None:
    graph = residual()
    assert [graph.place(name) for name in (INPUT, "conv", "classes")] == [0, 1, 7]


def test_what_a_value_depends_on() -> None:
    graph = residual()
    assert graph.ancestors("sum") == {"conv", "relu", "sum"}
    assert graph.ancestors(INPUT) == set()
    assert names(graph.up_to("classes")) == ["conv", "relu", "sum", "flat", "same", "classes"]
    assert graph.up_to("relu").output.name == "relu"


def test_what_is_behind_a_value() -> None:
    graph = residual()
    rest = graph.behind("sum", "classes")
    assert names(rest) == ["flat", "same", "classes"]
    assert rest is not None
    assert (rest.input_shape, rest.nodes[0].inputs) == ((2, 4, 4), (INPUT,))
    assert graph.behind("relu", "classes") is None  # the sum reads the input, too
    assert names(graph.behind(INPUT, "relu")) == ["conv", "relu"]


def test_what_a_flat_value_was() -> None:
    graph = residual()
    assert {graph.unflattened(name) for name in ("same", "flat", "sum")} == {"sum"}
    assert graph.unflattened("classes") == "classes"
    flat = build((6,), [("a", LAYERS["identity"](), (INPUT,))])
    assert flat.unflattened("a") == INPUT
