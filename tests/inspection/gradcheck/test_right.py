"""Right gradients: never a false alarm, never a verdict that was not earned."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.engine import Executor
from cnncli.errors import DataError, UsageError
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.gradcheck import Verdict, gradcheck
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES
from tests.inspection.gradcheck.networks import CROSS_ENTROPY, chain, check, numbers, of_kind, row, small_net, spoil
from tests.parity.random_graphs import random_graph


def images_mostly_black(*shape: int) -> np.ndarray[Any, Any]:
    return np.maximum(numbers(*shape) - 0.7, 0)


def all_pass(report: Any) -> bool:
    return report.verdict is Verdict.PASS and {found.verdict for found in report.tensors} == {Verdict.PASS}


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_passes(kind: str) -> None:
    graph = of_kind(kind)
    report = check(graph)
    assert all_pass(report), report
    arity = len(graph.by_name["it"].inputs)
    names = [INPUT] if arity == 1 else [f"{INPUT}{i}" for i in range(arity)]
    wanted = [*Model.create(graph).parameters.get("it", {}), *names]
    assert [found.tensor for found in report.tensors if (found.node, found.level) == ("it", "layer")] == wanted


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("last", ["identity", "softmax", "sigmoid"])
def test_every_loss_passes(kind: str, last: str) -> None:
    report = check(chain((5,), ("linear", {"out_features": 3}), (last, {})), loss=LOSSES[kind]())
    assert all_pass(report), report
    assert row(report, "loss", INPUT).checked


def test_what_is_reported() -> None:
    report = check(small_net(), loss=CROSS_ENTROPY)
    assert report.samples == 3
    assert report.jittered == ("conv2d0.bias", "linear4.bias")
    weight = row(report, "conv2d0", "weight")
    assert weight.oracle == "complex step"
    assert weight.checked == 16  # 4 directions, 12 elements
    assert weight.relative_error is not None
    assert weight.relative_error < 1e-12
    assert weight.index is not None
    assert len(weight.index) == 4
    assert weight.hint is None
    levels = [found.level for found in report.tensors]
    assert levels == sorted(levels), "layers, then the network"
    network = [(found.node, found.tensor) for found in report.tensors if found.level == "network"]
    parameters = [("conv2d0", "weight"), ("conv2d0", "bias"), ("linear4", "weight"), ("linear4", "bias")]
    assert network == [*parameters, (INPUT, INPUT)]
    document = json.loads(json.dumps(asdict(report)))
    assert document["verdict"] == "PASS"
    assert {"node", "tensor", "verdict", "relative_error", "hint"} <= document["tensors"][0].keys()


@given(st.integers(1000, 10**6), st.integers(2, 4), st.booleans())
@settings(max_examples=12, deadline=None, derandomize=True)
def test_random_networks_pass(seed: int, samples: int, black: bool) -> None:
    graph = random_graph(seed)
    x = (images_mostly_black if black else numbers)(samples, *graph.input_shape)
    report = check(graph, x, CROSS_ENTROPY, seed=seed)
    assert all_pass(report), report


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("certainty", "allowed"),
    [(15.0, {Verdict.PASS}), (20.0, {Verdict.PASS, Verdict.UNCHECKED}), (31.0, {Verdict.PASS, Verdict.UNCHECKED})],
)
def test_a_network_that_is_certain_is_not_accused(certainty: float, allowed: set[Verdict], seed: int) -> None:
    """Its loss is far smaller than the logits, and so are the gradients: what remains has the logits' rounding, and
    in the end is nothing else."""
    graph = chain((6,), ("linear", {"out_features": 4}), ("tanh", {}), ("linear", {"out_features": 3}))
    model = Model.create(graph, dtype=np.float64)
    for node in ("linear0", "linear2"):
        model.parameters[node]["bias"][...] = 0.05  # numbers in place of zeros would make it more certain, or less
    x = numbers(3, 6)
    logits = Executor(model, workers=1).infer(x)
    winners = logits.argmax(axis=1)
    margins = np.sort(logits, axis=1)
    model.parameters["linear2"]["weight"] *= certainty / (margins[:, -1] - margins[:, -2]).min()
    report = gradcheck(model, x, winners, CROSS_ENTROPY, seed=seed)
    assert report.jittered == ()
    assert {found.verdict for found in report.tensors} <= allowed, report


def test_black_backgrounds_pass_and_show_their_corners() -> None:
    graph = chain(
        (1, 12, 12),
        ("conv2d", {"out_channels": 4, "kernel_size": 3}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 2}),
        ("conv2d", {"out_channels": 4, "kernel_size": 3, "bias": False}),
        ("relu", {}),
        ("flatten", {}),
        ("linear", {"out_features": 3}),
    )
    x = np.zeros((2, 1, 12, 12))
    x[:, :, 4:8, 3:9] = np.abs(numbers(2, 1, 4, 6))
    report = check(graph, x, CROSS_ENTROPY)
    assert all_pass(report), report
    assert row(report, "max_pool2d2", INPUT).kinks  # equal pixels side by side
    assert row(report, INPUT, INPUT, "network").kinks
    biases = [found for found in report.tensors if found.tensor == "bias"]
    assert all(found.checked for found in biases)


def test_relu_at_exactly_zero_is_a_kink_and_no_pass() -> None:
    graph = chain((4,), ("relu", {}), ("linear", {"out_features": 2}))
    report = check(graph, np.zeros((2, 4)))
    relu = row(report, "relu0", INPUT)
    assert (relu.verdict, relu.checked) == (Verdict.KINK, 0)
    assert relu.kinks
    assert "corners" in str(relu.hint)
    assert report.verdict is Verdict.INCONCLUSIVE
    half = np.zeros((2, 4))
    half[:, ::2] = 1.0
    relu = row(check(graph, half), "relu0", INPUT)
    assert (relu.verdict, bool(relu.kinks), bool(relu.checked)) == (Verdict.PASS, True, True)


def test_corners_close_by_are_stepped_around() -> None:
    x = numbers(2, 6)
    x[0, :3] = (1e-6, -1e-7, 1e-9)
    report = check(chain((6,), ("relu", {}), ("linear", {"out_features": 2})), x)
    assert all_pass(report), report
    assert not row(report, "relu0", INPUT).kinks


def test_uniform_areas_that_are_not_black_pass() -> None:
    x = np.full((2, 1, 10, 10), -0.4242)
    x[:, :, 3:7, 3:7] = numbers(2, 1, 4, 4)
    layers = [("conv2d", {"out_channels": 3, "kernel_size": 3}), ("max_pool2d", {"kernel_size": 2}), ("relu", {})]
    report = check(chain((1, 10, 10), *layers, ("flatten", {}), ("linear", {"out_features": 3})), x)
    assert all_pass(report), report


def test_a_bias_that_batch_norm_takes_away_passes() -> None:
    """Its true gradient is 0, so what backward and the oracles find is nothing but rounding."""
    layers = [("conv2d", {"out_channels": 3, "kernel_size": 3}), ("batch_norm", {}), ("silu", {}), ("flatten", {})]
    report = check(chain((2, 6, 6), *layers, ("linear", {"out_features": 2})))
    assert all_pass(report), report
    bias = row(report, "conv2d0", "bias", "network")
    assert 0 < max(abs(bias.analytic or 0), abs(bias.numeric or 0)) < 1e-12
    assert bias.relative_error is not None
    assert bias.relative_error < 1e-6


def test_dead_layers_have_gradients_that_are_exactly_zero_and_pass() -> None:
    model = Model.create(small_net(), 1, np.float64)
    model.parameters["conv2d0"]["bias"][...] = -100
    report = check(model)
    assert report.verdict is not Verdict.FAIL
    weight = row(report, "conv2d0", "weight", "network")
    assert (weight.verdict, weight.analytic, weight.numeric, weight.relative_error) == (Verdict.PASS, 0, 0, 0)


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 30, 1e4])
@pytest.mark.parametrize("magnitude", [1e-9, 1.0, 1e6])
def test_extreme_magnitudes_never_fail(scale: float, magnitude: float) -> None:
    layers = [("conv2d", {"out_channels": 3, "kernel_size": 3}), ("batch_norm", {}), ("elu", {}), ("flatten", {})]
    graph = chain((1, 6, 6), *layers, ("linear", {"out_features": 3}), ("batch_norm", {}), ("softmax", {}))
    model = Model.create(graph, 1, np.float64)
    for params in model.parameters.values():
        params["weight"] *= scale
    report = check(model, magnitude * numbers(3, 1, 6, 6), CROSS_ENTROPY)
    assert report.verdict is not Verdict.FAIL, report


def test_dropout_keeps_its_masks() -> None:
    layers = [("dropout", {"p": 0.5}), ("linear", {"out_features": 8}), ("dropout", {"p": 0.3}), ("tanh", {})]
    report = check(chain((10,), *layers), seed=3)
    assert all_pass(report), report


def test_a_value_that_is_read_twice_by_one_layer() -> None:
    layers = [("a", LAYERS["tanh"](), (INPUT,)), ("twice", LAYERS["add"](), ("a", "a", INPUT))]
    report = check(build((5,), layers))
    assert all_pass(report), report
    assert row(report, "twice", "input1")


def test_the_model_is_left_as_it_is() -> None:
    layers = [("conv2d", {"out_channels": 3, "kernel_size": 3}), ("batch_norm", {}), ("flatten", {})]
    model = Model.create(chain((1, 5, 5), *layers, ("linear", {"out_features": 2})), 1)
    before = {key: array.copy() for key, array in model.state_dict().items()}
    x = numbers(2, 1, 5, 5)
    kept = x.copy()
    check(model, x)
    assert all(np.array_equal(array, before[key]) for key, array in model.state_dict().items())
    np.testing.assert_array_equal(x, kept)


def test_the_seed_decides_everything() -> None:
    first, again, other = (check(small_net(), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_else_is_looked_at_changes_no_number() -> None:
    whole = check(small_net())
    some = check(small_net(), layers=["linear4", "loss"])
    assert len(some.tensors) == 6
    assert some.tensors == tuple(found for found in whole.tensors if found.node in ("linear4", "loss"))
    assert check(small_net(), mapped="all").tensors == whole.tensors
    # Hints draw directions as well: they must not be those of the tensors that follow.
    faulty = spoil(small_net(), "conv2d0", "weight", lambda gradient: gradient + 0.1)
    (wrong, *others), (right, *others_right) = check(faulty).tensors, whole.tensors
    assert (wrong.verdict, right.verdict) == (Verdict.FAIL, Verdict.PASS)
    alone = [found for found in others if found.level == "layer"]
    assert alone == [found for found in others_right if found.level == "layer"]
    both = [check(faulty, layers=["conv2d0"], mapped=mapped) for mapped in ("none", "all")]
    assert both[0].tensors == both[1].tensors


def test_layers_are_chosen_by_name() -> None:
    report = check(small_net(), layers=["linear4", "loss"])
    alone = [(found.node, found.tensor) for found in report.tensors if found.level == "layer"]
    together = [(found.node, found.tensor) for found in report.tensors if found.level == "network"]
    assert alone == [("linear4", "weight"), ("linear4", "bias"), ("linear4", INPUT), ("loss", INPUT)]
    assert together == [("linear4", "weight"), ("linear4", "bias")]
    assert [found.node for found in check(small_net(), layers=[INPUT]).tensors] == [INPUT]


def test_progress_names_every_layer() -> None:
    told: list[tuple[str, int, int]] = []
    check(small_net(), progress=lambda *args: told.append(args))
    assert [name for name, _, _ in told] == [
        "conv2d0", "relu1", "max_pool2d2", "flatten3", "linear4", "loss", "network",
    ]  # fmt: skip
    assert [done for _, done, _ in told] == list(range(7))
    assert {total for _, _, total in told} == {7}


def test_what_cannot_be_checked_is_said() -> None:
    with pytest.raises(UsageError, match=r"--layer conv9: the network has no such layer; did you mean 'conv2d0'"):
        check(small_net(), layers=["conv9"])
    with pytest.raises(UsageError, match="takes 1 to 8 samples, but got 9"):
        check(small_net(), numbers(9, 2, 9, 9))
    with pytest.raises(DataError, match="batch_norm in training needs more than one number a channel"):
        check(chain((3,), ("batch_norm", {})), numbers(1, 3))
    with pytest.raises(DataError, match="class"):
        gradcheck(Model.create(small_net()), numbers(2, 2, 9, 9), np.array([0, 4]), CROSS_ENTROPY)


def test_numbers_that_are_not_finite_are_inconclusive() -> None:
    model = Model.create(small_net(), 1, np.float64)
    model.parameters["linear4"]["weight"][0, 0] = np.inf
    report = check(model)
    assert row(report, "linear4", "weight").verdict is Verdict.UNCHECKED
    assert row(report, "linear4", "weight").hint == "the forward pass gives numbers that are not finite"
    assert row(report, "conv2d0", "weight").verdict is Verdict.PASS
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_network_of_one_sample_and_no_parameters() -> None:
    report = check(Graph((3,), chain((3,), ("tanh", {})).nodes), numbers(1, 3))
    assert all_pass(report), report
    assert [found.level for found in report.tensors] == ["layer", "layer", "network"]
