"""Wrong gradients: each is found, named and explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.graph import INPUT, Model, build
from cnncli.inspection.gradcheck import Verdict
from cnncli.inspection.gradcheck.functions import NetworkFunction
from cnncli.layers import LAYERS
from cnncli.layers.run import Run
from tests.inspection.gradcheck.networks import (
    chain,
    check,
    deep_net,
    numbers,
    one_filter,
    real_numbers_only,
    row,
    small_net,
    spoil,
    with_stand,
)
from tests.parity.random_graphs import random_graph

Array = NDArray[Any]
Change = Callable[[Array], Any]


@pytest.mark.parametrize("seed", [0, 3, 10])
def test_a_thousandth_too_much_is_found_in_every_tensor_of_every_layer(seed: int) -> None:
    graph = random_graph(seed)
    model = Model.create(graph)
    for node in graph.nodes:
        inputs = [INPUT] if len(node.inputs) == 1 else [f"{INPUT}{i}" for i in range(len(node.inputs))]
        tensors = [*model.parameters.get(node.name, {}), *inputs]
        for tensor in tensors:
            report = check(spoil(graph, node.name, tensor, lambda g: g * 1.001), layers=[node.name])
            found = row(report, node.name, tensor)
            assert (found.verdict, found.hint) == (Verdict.FAIL, "1.001 times the true gradient")
            others = [row(report, node.name, other).verdict for other in tensors if other != tensor]
            assert set(others) <= {Verdict.PASS}


def one_entry(gradient: Array) -> Array:
    changed = gradient.copy()
    changed[5, 3, 2, 1] *= 1.1
    return changed


def one_tap(gradient: Array) -> Array:
    changed = gradient.copy()
    changed[..., 0, 2] = 0
    return changed


def one_row(gradient: Array) -> Array:
    changed = gradient.copy()
    changed[130] += 1
    return changed


@pytest.mark.parametrize(
    ("node", "tensor", "change", "hint"),
    [
        ("conv2d0", "weight", lambda g: g / 2, "half the true gradient"),
        (
            "conv2d0",
            "bias",
            lambda g: 3 * g,
            "3 times the true gradient: the mean over the 3 samples is missing",
        ),
        ("conv2d0", "bias", lambda g: g / 3, "divided by the 3 samples once too often"),
        ("conv2d3", "weight", lambda g: -2.5 * g, "-2.5 times the true gradient"),
        ("conv2d3", "weight", lambda g: g[..., ::-1, :], "the kernel is flipped top to bottom"),
        ("conv2d3", "weight", lambda g: g[..., ::-1], "the kernel is flipped left to right"),
        ("conv2d3", "weight", lambda g: g.swapaxes(0, 1), "transposed: outputs and inputs are exchanged"),
        ("conv2d3", INPUT, lambda g: g[:, ::-1, ::-1], "the picture is flipped, top to bottom and left to right"),
        (
            "conv2d3",
            INPUT,
            lambda g: np.roll(g, -1, axis=1),
            "everything is one position too far up: is the padding right?",
        ),
        ("conv2d3", "bias", lambda g: g[[1, 0, 2, 3, 4, 5, 7, 6]], "the filters are in the wrong order: 0, 1, 6 and 7"),
        ("conv2d3", "bias", lambda g: g + np.eye(8)[2], "only filter 2"),
        ("conv2d3", "weight", one_entry, "only filter 5, input channel 3, the tap [2, 1]"),
        ("conv2d3", "weight", one_filter, "only filter 6: there it is 1.1 times the true gradient"),
        ("conv2d3", "weight", one_tap, "only the tap [0, 2]: there it is always 0, as if it were never computed"),
        ("linear5", "weight", one_row, "only output 130"),
        ("linear5", "weight", lambda g: g + 0.1, "wrong almost everywhere, by no simple rule"),
        ("batch_norm1", "weight", np.zeros_like, "always 0, as if it were never computed"),
        (
            "batch_norm1",
            INPUT,
            lambda g: np.where(np.arange(3) == 1, 0, g),
            "only sample 1: there it is always 0, as if it were never computed",
        ),
        ("linear7", "bias", lambda g: g[:, None], "its shape is (3, 1), not (3,)"),
        ("linear7", "weight", lambda g: g / 0, "it is not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_errors_are_explained(node: str, tensor: str, change: Change, hint: str) -> None:
    report = check(spoil(deep_net(), node, tensor, change), layers=[node])
    found = row(report, node, tensor)
    assert report.verdict is Verdict.FAIL
    assert found.verdict is Verdict.FAIL
    assert hint in str(found.hint)


def test_the_wrong_element_is_searched_for() -> None:
    found = row(check(spoil(deep_net(), "conv2d3", "weight", one_entry), layers=["conv2d3"]), "conv2d3", "weight")
    assert found.index == (5, 3, 2, 1)
    assert found.analytic is not None
    assert found.numeric is not None
    assert found.analytic / found.numeric == pytest.approx(1.1)


def test_gradients_that_are_missing_are_named() -> None:
    def without_bias(own: Callable[..., Any], *args: Any) -> Any:
        dxs, gradients = own(*args)
        return dxs, {"weight": gradients["weight"]}

    def without_input(own: Callable[..., Any], *args: Any) -> Any:
        return (None,), own(*args)[1]

    for backward, tensor in ((without_bias, "bias"), (without_input, INPUT)):
        report = check(with_stand(small_net(), "linear4", backward=backward))
        found = row(report, "linear4", tensor)
        assert (found.verdict, found.hint) == (Verdict.FAIL, "there is none")
        together = row(report, "conv2d0", "weight", "network")
        assert together.verdict is Verdict.UNCHECKED
        assert "first mend the gradient that is missing" in str(together.hint)


@pytest.mark.parametrize("node", ["conv2d0", "linear5"])
def test_single_precision_is_no_pass(node: str) -> None:
    model = spoil(deep_net(), node, "weight", lambda g: g.astype(np.float32).astype(np.float64))
    report = check(model, layers=[node])
    found = row(report, node, "weight")
    assert found.verdict is Verdict.UNCHECKED
    assert "single precision" in str(found.hint)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_the_second_of_two_inputs() -> None:
    layers = [(name, LAYERS["tanh"](), (INPUT,)) for name in ("a", "b")]
    graph = build(
        (4,), [*layers, ("sum", LAYERS["add"](), ("a", "b")), ("out", LAYERS["linear"](out_features=2), ("sum",))]
    )
    report = check(spoil(graph, "sum", "input1", lambda gradient: 2 * gradient))
    failed = [(found.node, found.tensor, found.level) for found in report.tensors if found.verdict is Verdict.FAIL]
    assert failed == [("sum", "input1", "layer"), (INPUT, INPUT, "network")]
    assert row(report, INPUT, INPUT, "network").hint == "what reaches it is wrong: see sum.input1"


def test_errors_among_black_pixels_are_found() -> None:
    x = np.maximum(numbers(3, 2, 9, 9) - 1, 0)
    for node, tensor in (("conv2d0", "bias"), ("relu1", INPUT), ("max_pool2d2", INPUT)):
        report = check(spoil(small_net(), node, tensor, lambda gradient: gradient * 1.001), x, layers=[node])
        assert row(report, node, tensor).hint == "1.001 times the true gradient"


def test_a_slope_on_a_corner_must_lie_between_those_to_either_side() -> None:
    def backward(own: Callable[..., Any], params: Any, cache: Any, dy: Array, run: Run) -> Any:
        dxs, gradients = own(params, cache, dy, run)
        return (np.where(cache[1], dxs[0], 2 * dy),), gradients

    graph = chain((6,), ("relu", {}), ("linear", {"out_features": 2}))
    x = np.abs(numbers(2, 6))
    x[0] = 0
    found = row(check(with_stand(graph, "relu0", backward=backward), x), "relu0", INPUT)
    assert found.verdict is Verdict.FAIL
    assert found.hint == "it is not between the slopes to the left and to the right of a corner"
    assert row(check(graph, x), "relu0", INPUT).verdict is Verdict.PASS


def test_a_layer_that_fails_in_the_network_as_it_does_alone() -> None:
    report = check(spoil(deep_net(), "linear5", "weight", one_row), layers=["linear5"])
    assert row(report, "linear5", "weight", "network").hint == "as in the layer alone: only output 130"


def test_a_layer_that_is_not_looked_at_may_be_what_is_wrong() -> None:
    faulty = spoil(small_net(), "relu1", INPUT, lambda dx: 2 * dx)
    report = check(faulty, layers=["conv2d0"])
    failed = {found.hint for found in report.tensors if found.verdict is Verdict.FAIL}
    assert failed == {"what reaches it is wrong, perhaps in a layer that was left out: twice the true gradient"}


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_results_that_vary_are_no_results(method: str) -> None:
    rng = np.random.default_rng(0)

    def forward(own: Callable[..., Any], *args: Any) -> Any:
        y, cache = own(*args)
        return y * rng.uniform(), cache

    def backward(own: Callable[..., Any], *args: Any) -> Any:
        dxs, gradients = own(*args)
        return tuple(dx * rng.uniform() for dx in dxs), gradients

    methods: dict[str, Any] = {method: {"forward": forward, "backward": backward}[method]}
    found = row(check(with_stand(small_net(), "linear4", **methods)), "linear4", INPUT)
    assert found.verdict is Verdict.UNCHECKED
    assert f"two {method} passes with the same numbers differ" in str(found.hint)


def test_without_complex_numbers_differences_decide() -> None:
    def doubled(own: Callable[..., Any], *args: Any) -> Any:
        dxs, gradients = own(*args)
        return dxs, {**gradients, "weight": gradients["weight"] * 2}

    report = check(with_stand(small_net(), "conv2d0", forward=real_numbers_only))
    assert report.verdict is Verdict.PASS
    weight = row(report, "conv2d0", "weight")
    assert (weight.oracle, weight.checked) == ("central difference", 16)
    report = check(with_stand(small_net(), "conv2d0", forward=real_numbers_only, backward=doubled))
    weight = row(report, "conv2d0", "weight")
    assert (weight.verdict, weight.oracle) == (Verdict.FAIL, "central difference")
    assert weight.hint == "twice the true gradient"


def test_oracles_that_contradict_each_other_are_suspicious() -> None:
    """A forward pass that loses the imaginary part makes the complex step find 0."""

    def forward(own: Callable[..., Any], params: Any, xs: tuple[Array, ...], run: Run) -> Any:
        y, cache = own(params, xs, run)
        return y.real.astype(y.dtype), cache

    found = row(check(with_stand(small_net(), "linear4", forward=forward)), "linear4", "weight")
    assert found.verdict is Verdict.SUSPICIOUS
    assert "the oracles contradict each other" in str(found.hint)


def test_it_takes_few_forward_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it costs, as the passes through the whole network are what takes longest."""
    passes = []
    forward = NetworkFunction.forward
    monkeypatch.setattr(NetworkFunction, "forward", lambda *args: passes.append(args[1]) or forward(*args))
    report = check(deep_net())
    assert report.verdict is Verdict.PASS
    tensors = [found for found in report.tensors if found.level == "network"]
    assert len(tensors) == 11
    assert len(passes) <= 3 * 16 * len(tensors) + 8 * len(tensors)  # each direction three times, and some for corners
