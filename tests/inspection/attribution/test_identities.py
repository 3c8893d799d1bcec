"""What theory says of attributions by gradients, held to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.graph import Graph
from cnncli.inspection.attribution.integrated import IntegratedGradients, baseline_of
from cnncli.inspection.attribution.method import Attribution, Method, Target
from cnncli.inspection.attribution.occlusion import Occlusion
from cnncli.inspection.attribution.saliency import Gradient, InputTimesGradient, SmoothGrad
from tests.inspection.attribution.networks import (
    BATCH_NORM,
    LENET,
    LINEAR,
    NETWORKS,
    TANH,
    inputs,
    model_of,
    network,
    target_of,
)
from tests.parity.random_graphs import random_graph


def attribute(method: Method, graph: Graph, **options: Any) -> Attribution:
    with Executor(model_of(graph)) as executor:
        return method.attribute(executor, options.get("x", inputs(graph)), options.get("target", target_of(graph)))


@pytest.mark.parametrize("method", [Gradient(), InputTimesGradient(), SmoothGrad(samples=3)], ids=lambda m: m.name)
@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_full_gradient_is_complete(graph: Graph, method: Method) -> None:
    (check,) = attribute(method, graph).checks
    assert check.holds
    assert check.residual.max() < 1e-12


@pytest.mark.parametrize("seed", range(60))
def test_full_gradient_says_for_which_networks_it_holds(seed: int) -> None:
    """Where it says so it does, and where it does not it does not."""
    graph = random_graph(seed)
    (check,) = attribute(Gradient(), graph).checks
    smooth = {"elu", "gelu", "silu", "sigmoid", "tanh", "softmax", "softplus"}
    assert check.holds == (not smooth & {node.layer.type for node in graph.nodes})
    size = np.maximum(np.abs(check.left), np.abs(check.right))
    if check.holds:
        assert (np.abs(check.left - check.right) <= 1e-12 * np.maximum(size, 1)).all()


def test_full_gradient_counts_every_offset() -> None:
    """The shares of the offsets are what is left: without the biases it would not hold."""
    found = attribute(InputTimesGradient(), BATCH_NORM)
    (check,) = found.checks
    assert np.abs(check.left - found.values.sum(axis=(1, 2, 3))).min() > 1e-3


@pytest.mark.parametrize(
    ("kind", "options", "bends_at_zero"),
    [("leaky_relu", {}, True), ("softplus", {"beta": 5.0}, False), ("elu", {"alpha": 0.1}, False)],
)
def test_what_is_piecewise_linear_is_found_out(kind: str, options: dict[str, Any], bends_at_zero: bool) -> None:
    graph = network((4,), [("hidden", "linear", {"out_features": 5}), ("bend", kind, options)])
    (check,) = attribute(Gradient(), graph).checks
    assert check.holds == bends_at_zero
    assert (check.residual.max() < 1e-12) == bends_at_zero


def test_what_the_target_does_not_depend_on_does_not_count() -> None:
    """A softmax behind the logits does not make the check of the logits doubtful."""
    graph = network((4,), [("logits", "linear", {"out_features": 3}), ("shares", "softmax", {})])
    target = Target("logits", np.array([[0], [1], [2]]))
    (check,) = attribute(Gradient(), graph, target=target).checks
    assert check.holds
    assert check.residual.max() < 1e-12


@pytest.mark.parametrize(("baseline", "steps"), [("zeros", 30), ("mean", 30), ("min", 100)])
def test_integrated_gradients_are_complete_on_smooth_networks(baseline: Any, steps: int) -> None:
    """The further the baseline, the more steps it takes."""
    (check,) = attribute(IntegratedGradients(steps, baseline), TANH).checks
    assert check.residual.max() < 1e-10


@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_integrated_gradients_are_nearly_complete_on_relu_networks(graph: Graph) -> None:
    (check,) = attribute(IntegratedGradients(50), graph, x=inputs(graph, 8), target=target_of(graph, 8)).checks
    change = np.abs(check.left - check.right)
    assert (change <= 0.02 * np.abs(check.right).max()).all()


def test_one_step_of_integrated_gradients_is_the_gradient_half_way() -> None:
    x, target = inputs(LENET), target_of(LENET)
    with Executor(model_of(LENET)) as executor:
        found = IntegratedGradients(1).attribute(executor, x, target).values
        half = Gradient().attribute(executor, x / 2, target).values
    np.testing.assert_allclose(found, x * half, rtol=1e-12)


def test_baselines() -> None:
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    assert (baseline_of(x, "zeros") == 0).all()
    np.testing.assert_array_equal(baseline_of(x, "mean")[1, 2], np.full((2, 2), 21.5))
    np.testing.assert_array_equal(baseline_of(x, "min")[0, 1], np.full((2, 2), 4))
    np.testing.assert_array_equal(baseline_of(np.array([[3.0, 1.0]]), "min"), [[1, 1]])


def test_occlusion_of_one_pixel_of_a_linear_network_is_its_contribution() -> None:
    x, target = inputs(LINEAR), target_of(LINEAR)
    with Executor(model_of(LINEAR)) as executor:
        found = Occlusion(window=1, stride=1).attribute(executor, x, target)
        gradient = Gradient().attribute(executor, x, target).values
    np.testing.assert_allclose(found.values, (x * gradient)[:, 0], rtol=1e-9, atol=1e-13)
    assert found.checks[0].holds
    assert found.checks[0].residual.max() < 1e-12


@pytest.mark.parametrize(("window", "stride"), [(2, 1), (3, 2), (4, 4), (7, 1)])
def test_occlusion_adds_up_on_linear_networks(window: int, stride: int) -> None:
    """However the windows overlap, and where they reach beyond the edge."""
    found = attribute(Occlusion(window, stride, value=0.7), LINEAR)
    assert found.checks[0].residual.max() < 1e-12
    assert not attribute(Occlusion(window, stride), LENET).checks[0].holds


@pytest.mark.parametrize(
    ("window", "stride", "message"),
    [
        (8, None, "--window 8: expected 1 to 7, the side of the input"),
        (None, 2, "--stride 2: between windows of 1 there would be gaps; give --stride 1 at most"),
    ],
)
def test_occlusion_beyond_the_input_is_refused(window: int | None, stride: int | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        attribute(Occlusion(window, stride), LINEAR)


def test_occlusion_by_the_definition() -> None:
    """Every window by itself, summed up pixel by pixel."""
    x, target = inputs(LENET, 2), target_of(LENET, 2)
    total, times = np.zeros((2, 12, 12)), np.zeros((12, 12))
    with Executor(model_of(LENET)) as executor:
        found = Occlusion(5, 3, value=-1).attribute(executor, x, target).values
        whole = target.of(executor.infer(x))
        for top in (0, 3, 6, 9):
            for left in (0, 3, 6, 9):
                place = (slice(top, top + 5), slice(left, left + 5))
                covered = x.copy()
                covered[:, 0][(slice(None), *place)] = -1
                total[(slice(None), *place)] += (whole - target.of(executor.infer(covered)))[:, None, None]
                times[place] += 1
    np.testing.assert_allclose(found, total / times, rtol=1e-9, atol=1e-12)


def test_smoothgrad_is_the_mean_over_its_noise() -> None:
    x, target = inputs(LENET), target_of(LENET)
    noise = np.random.default_rng(3).standard_normal((5, 1, 12, 12))
    with Executor(model_of(LENET)) as executor:
        found = SmoothGrad(samples=5, noise=0.2, seed=3).attribute(executor, x, target).values
        spread = 0.2 * np.ptp(x, axis=(1, 2, 3), keepdims=True)
        each = [Gradient().attribute(executor, x + spread * one, target).values for one in noise]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-9, atol=1e-14)


def test_colours_are_shown_by_their_largest_too() -> None:
    found = attribute(Gradient(), NETWORKS["resnet"])
    ((name, largest),) = found.details
    assert name == "max |.|"
    np.testing.assert_array_equal(largest, np.abs(found.values).max(axis=1))
    assert attribute(Gradient(), LENET).details == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SmoothGrad(samples=0), "--samples 0"),
        (lambda: SmoothGrad(noise=-1), "--noise -1"),
        (lambda: SmoothGrad(noise=float("nan")), "--noise nan"),
        (lambda: IntegratedGradients(steps=0), "--steps 0: expected 1 to 1,000"),
        (lambda: IntegratedGradients(steps=5000), "--steps 5000"),
        (lambda: IntegratedGradients(baseline="noise"), "--baseline noise: expected zeros, mean or min"),
        (lambda: Occlusion(window=0), "--window 0"),
        (lambda: Occlusion(stride=-2), "--stride -2"),
        (lambda: Occlusion(window=3, stride=4), "--stride 4: .* give --stride 3 at most"),
        (lambda: Occlusion(value=float("inf")), "--value inf"),
    ],
)
def test_wrong_options(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
