"""Names, inputs and the order of a network's layers."""

from __future__ import annotations

import pytest

from cnncli.config import load
from cnncli.errors import ConfigError


def network(layers: str, shape: str = "[2, 8, 8]") -> list[tuple[str, tuple[str, ...]]]:
    graph = load(f"model:\n  input: {shape}\n  layers: {layers}\nloss: mse\n").graph
    return [(node.name, node.inputs) for node in graph.nodes]


def names(layers: str) -> list[str]:
    return [name for name, _ in network(layers)]


def test_a_layer_is_named_by_its_type_and_which_of_its_type_it_is() -> None:
    pool = "{type: max_pool2d, kernel_size: 2}"
    assert names(f"[relu, {pool}, relu, {pool}]") == ["relu1", "max_pool2d1", "relu2", "max_pool2d2"]


def test_named_layers_count_too() -> None:
    assert names("[{type: relu, name: first}, relu]") == ["first", "relu2"]


def test_given_names_are_never_taken_wherever_they_stand() -> None:
    assert names("[relu, relu, {type: tanh, name: relu2}]") == ["relu1", "relu3", "relu2"]
    assert names("[{type: tanh, name: relu1}, relu, relu]") == ["relu1", "relu2", "relu3"]


def test_each_layer_reads_the_one_before_it_or_its_inputs() -> None:
    layers = "[{type: relu, name: a}, tanh, {type: add, inputs: [a, input, tanh1]}, {type: relu, inputs: add1}]"
    assert network(layers) == [
        ("a", ("input",)),
        ("tanh1", ("a",)),
        ("add1", ("a", "input", "tanh1")),
        ("relu2", ("add1",)),
    ]


def test_the_same_input_twice() -> None:
    assert network("[{type: add, inputs: [input, input]}]") == [("add1", ("input", "input"))]


def test_shapes_are_inferred_from_one_two_and_three_numbers() -> None:
    for shape in ("[4]", "[3, 4]", "[2, 3, 4]"):
        assert network("[relu]", shape) == [("relu1", ("input",))]


def test_what_does_not_depend_on_a_mistake_is_checked_and_what_does_is_not() -> None:
    text = """\
model:
  input: [1, 8, 8]
  layers:
    - {type: conv2d, name: wrong, out_channels: 2, kernel_size: 9}
    - {type: linear, name: depends, out_features: 3}
    - {type: linear, name: apart, out_features: 3, inputs: [input]}
    - {type: add, inputs: [depends, apart]}
"""
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(4, 65), (6, 7)]


def test_a_network_of_a_thousand_layers() -> None:
    assert names("[" + ", ".join(["relu"] * 1000) + "]")[-1] == "relu1000"
