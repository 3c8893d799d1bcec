"""Wrong gradients: each is found, named and explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import walk
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.gradcheck import Verdict, self_test
from cnncli.inspection.gradcheck.planted import ERRORS, MISSING_MEAN
from cnncli.layers import LAYERS
from cnncli.layers.run import Run
from tests.inspection.gradcheck_networks import (
    CROSS_ENTROPY,
    chain,
    check,
    numbers,
    row,
    small_net,
    spoil,
    with_stand,
)
from tests.parity.random_graphs import random_graph

Array = NDArray[Any]
Change = Callable[[Array], Any]

HINTS = {
    "weight gradient x 1.001": "1.001 times the true gradient",
    "weight gradient x 2": "twice the true gradient",
    "weight gradient with the wrong sign": "its sign is wrong",
    "one entry of the weight gradient": "wrong only at [1, 1, 0, 0]",
    "bias gradient dropped": "always 0: it is not computed",
    "kernel flipped": "the kernel is flipped, top to bottom and left to right",
    "kernel transposed": "the kernel is transposed: height and width are exchanged",
    "leaky ReLU": "wrong only where the function takes branch 0 (a rectifier's branch 0 is x <= 0)",
    "wrong winner in max pooling": "everything is one position too far to the right",
    "wrong stride": "as if the stride were 1 and not 2",
    MISSING_MEAN: "3 times the true gradient; perhaps the mean over the 3 samples is missing",
}
"""What is said of each planted error."""


def deep_net() -> Graph:
    return chain(
        (2, 7, 7),
        ("conv2d", {"out_channels": 8, "kernel_size": 3, "padding": 1}),
        ("batch_norm", {}),
        ("tanh", {}),
        ("conv2d", {"out_channels": 8, "kernel_size": 3}),
        ("flatten", {}),
        ("linear", {"out_features": 200}),
        ("sigmoid", {}),
        ("linear", {"out_features": 3}),
    )


def test_self_test_finds_names_and_explains_every_planted_error() -> None:
    told: list[tuple[str, int, int]] = []
    model, x = Model.create(small_net(), 1), numbers(3, 2, 9, 9)
    report = self_test(model, x, np.arange(3), CROSS_ENTROPY, progress=lambda *args: told.append(args))
    assert {attempt.error: attempt.hint for attempt in report.attempts} == HINTS
    assert {attempt.verdict for attempt in report.attempts} == {Verdict.FAIL}
    assert (report.verdict, report.sound, report.absent) == (Verdict.PASS, Verdict.PASS, ())
    assert [name for name, _, _ in told] == ["no error", *HINTS]
    assert [done for _, done, _ in told] == list(range(len(HINTS) + 1))
    assert {total for _, _, total in told} == {len(HINTS) + 1}


def test_self_test_says_what_it_could_not_plant_and_what_went_unseen() -> None:
    layers = [("sigmoid", {}), ("relu", {}), ("linear", {"out_features": 3})]
    report = self_test(Model.create(chain((4,), *layers), 1), numbers(2, 4), np.arange(2), CROSS_ENTROPY)
    unseen = [attempt for attempt in report.attempts if not attempt.caught]
    assert [attempt.error for attempt in unseen] == ["leaky ReLU"]  # behind a sigmoid nothing is negative
    assert report.verdict is Verdict.FAIL
    planted = {attempt.error for attempt in report.attempts}
    assert set(report.absent) == {error.name for error in ERRORS} - planted
    assert "kernel flipped" in report.absent


def test_self_test_fails_on_a_network_that_is_wrong_itself() -> None:
    faulty = spoil(small_net(), "linear4", "weight", lambda gradient: gradient * 1.001)
    report = self_test(Model.create(faulty, 1), numbers(2, 2, 9, 9), np.arange(2), CROSS_ENTROPY)
    assert (report.verdict, report.sound) == (Verdict.PASS, Verdict.PASS)  # no error goes into that layer
    faulty = spoil(small_net(), "conv2d0", "weight", lambda gradient: gradient * 1.001)
    report = self_test(Model.create(faulty, 1), numbers(2, 2, 9, 9), np.arange(2), CROSS_ENTROPY)
    assert (report.verdict, report.sound) == (Verdict.FAIL, Verdict.FAIL)


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


def one_filter(gradient: Array) -> Array:
    changed = gradient.copy()
    changed[6] *= 1.1
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
            "3 times the true gradient; perhaps the mean over the 3 samples is missing",
        ),
        ("conv2d0", "bias", lambda g: g / 3, "divided by the 3 samples once too often"),
        ("conv2d3", "weight", lambda g: -2.5 * g, "-2.5 times the true gradient"),
        ("conv2d3", "weight", lambda g: g[..., ::-1, :], "the kernel is flipped top to bottom"),
        ("conv2d3", "weight", lambda g: g[..., ::-1], "the kernel is flipped left to right"),
        ("conv2d3", "weight", lambda g: g.swapaxes(0, 1), "transposed: the first two axes are exchanged"),
        ("conv2d3", INPUT, lambda g: g[:, ::-1, ::-1], "the picture is flipped, top to bottom and left to right"),
        ("conv2d3", INPUT, lambda g: np.roll(g, -1, axis=1), "everything is one position too far up"),
        ("conv2d3", "bias", lambda g: g[[1, 0, 2, 3, 4, 5, 7, 6]], "the right numbers, but in the wrong places"),
        ("conv2d3", "bias", lambda g: g + np.eye(8)[2], "wrong only at [2]"),
        ("conv2d3", "weight", one_entry, "wrong only at [5, 3, 2, 1]"),
        ("conv2d3", "weight", one_filter, "wrong only at [6, :, :, :]"),
        ("conv2d3", "weight", one_tap, "wrong only at [:, :, 0, 2]"),
        ("linear5", "weight", one_row, "wrong only at [130, :]"),
        ("linear5", "weight", lambda g: g + 0.1, "wrong almost everywhere, by no simple rule"),
        ("batch_norm1", "weight", np.zeros_like, "always 0: it is not computed"),
        ("batch_norm1", INPUT, lambda g: np.where(np.arange(3) == 1, 0, g), "wrong only at [1, :, :, :]"),
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
    graph = spoil(deep_net(), node, "weight", lambda g: g.astype(np.float32).astype(np.float64))
    report = check(graph, layers=[node])
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
    assert row(report, "linear5", "weight", "network").hint == "as in the layer alone: wrong only at [130, :]"


def test_sums_over_several_readers_that_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(pending: dict[str, Any], name: str, dx: Array, fresh: bool, run: Run) -> None:
        pending[name] = (dx, fresh)

    layers = [("stem", LAYERS["linear"](out_features=4), (INPUT,)), ("bend", LAYERS["tanh"](), ("stem",))]
    graph = build((4,), [*layers, ("sum", LAYERS["add"](), ("stem", "bend"))])
    monkeypatch.setattr(walk, "_add", overwrite)
    report = check(graph)
    assert {found.verdict for found in report.tensors if found.level == "layer"} == {Verdict.PASS}
    failed = row(report, "stem", "weight", "network")
    assert failed.verdict is Verdict.FAIL
    assert str(failed.hint).startswith("what reaches it is wrong, though each layer alone is right")


def test_memory_that_is_overwritten_too_early() -> None:
    def forward(own: Callable[..., Any], params: Any, xs: tuple[Array, ...], run: Run) -> Any:
        y, cache = own(params, xs, run)
        return (y * 2 if run.owned[0] else y), cache

    graph = chain((4,), ("linear", {"out_features": 4}), ("relu", {}), ("linear", {"out_features": 2}))
    report = check(with_stand(graph, "relu1", forward=forward))
    found = row(report, "linear2", "output", "network")
    assert found.verdict is Verdict.FAIL
    assert "something is overwritten too early" in str(found.hint)


def test_memory_that_is_read_before_it_is_written() -> None:
    def backward(own: Callable[..., Any], params: Any, cache: Any, dy: Array, run: Run) -> Any:
        (dx,), gradients = own(params, cache, dy, run)
        fresh = run.empty(dx.shape, dx.dtype)
        fresh[1:] = dx[1:]
        return (fresh,), gradients

    found = row(check(with_stand(small_net(), "linear4", backward=backward), layers=["linear4"]), "linear4", INPUT)
    assert (found.verdict, found.hint) == (Verdict.FAIL, "it is not finite")


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


def real_numbers_only(own: Callable[..., Any], params: Any, xs: tuple[Array, ...], run: Run) -> Any:
    if run.dtype.kind == "c":
        raise TypeError("ufunc 'floor' not supported for the input types")
    return own(params, xs, run)


def test_without_complex_numbers_differences_decide() -> None:
    graph = with_stand(small_net(), "conv2d0", forward=real_numbers_only)
    report = check(graph)
    assert report.verdict is Verdict.PASS
    weight = row(report, "conv2d0", "weight")
    assert (weight.oracle, weight.checked) == ("central difference", 16)
    report = check(spoil(graph, "conv2d0", "weight", lambda gradient: gradient * 1.001))
    weight = row(report, "conv2d0", "weight")
    assert (weight.verdict, weight.oracle) == (Verdict.FAIL, "central difference")


def test_oracles_that_contradict_each_other_are_suspicious() -> None:
    """A forward pass that loses the imaginary part makes the complex step find 0."""

    def forward(own: Callable[..., Any], params: Any, xs: tuple[Array, ...], run: Run) -> Any:
        y, cache = own(params, xs, run)
        return y.real.astype(y.dtype), cache

    found = row(check(with_stand(small_net(), "linear4", forward=forward)), "linear4", "weight")
    assert found.verdict is Verdict.SUSPICIOUS
    assert "the oracles contradict each other" in str(found.hint)


def test_it_is_quick() -> None:
    layers = [
        ("conv2d", {"out_channels": 6, "kernel_size": 5, "padding": "same"}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 2}),
        ("conv2d", {"out_channels": 16, "kernel_size": 5}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 2}),
        ("flatten", {}),
        ("linear", {"out_features": 120}),
        ("relu", {}),
        ("linear", {"out_features": 10}),
    ]
    start = time.process_time()
    assert check(chain((1, 28, 28), *layers), loss=CROSS_ENTROPY).verdict is Verdict.PASS
    assert time.process_time() - start < 5  # it takes about 0.4 s
