"""The executor: the same numbers however the batch is cut. (How the work is spread: test_team.)"""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.engine import Executor, LogitObjective, LossObjective, UpstreamObjective, record_backward, record_forward
from cnncli.graph import INPUT, Model, build
from cnncli.training.optimizers import OPTIMIZERS
from tests.engine.networks import data, layer, residual
from tests.parity.random_graphs import random_graph

Array = NDArray[Any]

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("training", [False, True])
def test_micro_batches_make_no_difference(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = residual(dropout=0.0)
    x, objective = data(graph, 40)
    found = []
    for size in (8, 16, 40):
        monkeypatch.setattr("cnncli.engine.plan.micro_batch", lambda graph, size=size: size)
        with Executor(Model.create(graph, dtype=np.float64), workers=1) as executor:
            result = executor.differentiate(x.astype(np.float64), objective, training=training, everything=True)
            assert result.input_gradient is not None
            found.append((result.values, result.flat_gradient, result.input_gradient))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_dropout_differs_by_step_and_seed_alone() -> None:
    graph = build((6,), [("drop", layer("dropout"), (INPUT,))])
    x = np.ones((20, 6), np.float32)

    def outputs(seed: int, step: int) -> Array:
        with Executor(Model.create(graph), workers=1, seed=seed) as executor:
            return executor.infer(x, training=True, step=step)

    assert np.array_equal(outputs(0, 0), outputs(0, 0))
    assert not np.array_equal(outputs(0, 0), outputs(0, 1))
    assert not np.array_equal(outputs(0, 0), outputs(1, 0))
    assert len(np.unique(outputs(0, 0), axis=0)) > 1  # samples have masks of their own


def test_inference_equals_the_recorded_pass() -> None:
    graph = residual()
    x, _ = data(graph, 30)
    with Executor(Model.create(graph), workers=2) as executor:
        recording = record_forward(executor, x)
        np.testing.assert_array_equal(executor.infer(x), recording.output)
        np.testing.assert_array_equal(executor.infer(x, at="relu1"), recording.activations["relu1"])
        np.testing.assert_array_equal(recording.activations[INPUT], x)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_gradients_are_slopes_on_random_networks(seed: int) -> None:
    """Along a random direction of the input, by the complex step."""
    graph = random_graph(seed)
    rng = np.random.default_rng(seed)
    x, direction = rng.normal(size=(2, 3, *graph.input_shape))
    objective = UpstreamObjective(graph.output.name, rng.normal(size=(1, *graph.output.shape)))
    with Executor(Model.create(graph, seed, np.float64), workers=1) as executor:
        result = executor.differentiate(x, objective, training=True, everything=True)
    assert result.input_gradient is not None
    with Executor(Model.create(graph, seed, np.complex128), workers=1) as executor:
        moved = executor.differentiate(x + 1e-30j * direction, objective, training=True)
    slope = float(moved.values.imag.sum() * 1e30)
    analytic = float((result.input_gradient * direction).sum())
    magnitude = np.abs(result.input_gradient * direction).sum() + np.abs(result.values).sum()
    assert abs(slope - analytic) <= 1e-10 * magnitude


def test_a_logit_and_an_upstream_gradient_agree() -> None:
    graph = residual()
    x, _ = data(graph, 12)
    upstream = np.zeros((1, 5))
    upstream[0, 3] = 1
    with Executor(Model.create(graph), workers=1) as executor:
        one = record_backward(executor, x, LogitObjective("classes", np.array([[3]])))
        other = record_backward(executor, x, UpstreamObjective("classes", upstream))
    for name, gradient in one.gradients.items():
        np.testing.assert_array_equal(gradient, other.gradients[name])
    np.testing.assert_array_equal(one.values, one.output[:, 3])


def test_an_upstream_gradient_of_each_sample_reaches_an_average_pooling() -> None:
    graph = build((2, 3, 3), [("mean", layer("global_avg_pool2d"), ("input",))])
    upstream = np.arange(8.0).reshape(4, 2)
    with Executor(Model.create(graph), workers=1) as executor:
        result = executor.differentiate(np.ones((4, 2, 3, 3)), UpstreamObjective("mean", upstream), everything=True)
    np.testing.assert_allclose(result.input_gradient[:, :, 1, 1], upstream / 9, rtol=1e-6)


def test_every_sample_may_have_a_logit_of_its_own() -> None:
    graph = residual()
    x, _ = data(graph, 40)
    classes = np.arange(40)[:, None] % 5
    with Executor(Model.create(graph), workers=1) as executor:
        each = executor.differentiate(x, LogitObjective("classes", classes), everything=True)
        for wanted in range(5):
            alike = executor.differentiate(x, LogitObjective("classes", np.array([[wanted]])), everything=True)
            mine = classes[:, 0] == wanted
            np.testing.assert_array_equal(each.values[mine], alike.values[mine])
            np.testing.assert_array_equal(each.input_gradient[mine], alike.input_gradient[mine])


def test_the_loss_reads_the_logits_before_a_final_softmax() -> None:
    logits = residual(dropout=0.0)
    triples = [(node.name, node.layer, node.inputs) for node in logits.nodes]
    probabilities = build(logits.input_shape, [*triples, ("softmax", layer("softmax"), ("classes",))])
    x, objective = data(logits, 20)
    _, paired = data(probabilities, 20)
    assert paired.at == "classes"
    with Executor(Model.create(logits), workers=1) as executor:
        expected = executor.differentiate(x, objective).flat_gradient.copy()
    with Executor(Model.create(probabilities), workers=1) as executor:
        np.testing.assert_array_equal(executor.differentiate(x, paired).flat_gradient, expected)
        assert "softmax" not in record_backward(executor, x, paired).gradients


def test_buffers_are_only_updated_on_request() -> None:
    graph = residual()
    x, objective = data(graph, 20)
    model = Model.create(graph)
    before = {key: array.copy() for key, array in model.state_dict().items()}
    with Executor(model, workers=1) as executor:
        executor.differentiate(x, objective, training=True)
        assert all(np.array_equal(before[key], array) for key, array in model.state_dict().items())
        executor.differentiate(x, objective, training=True, update_buffers=True)
    assert model.buffers["norm1"]["num_batches_tracked"] == 1
    assert not np.array_equal(model.buffers["norm1"]["running_mean"], before["norm1.running_mean"])


@pytest.mark.parametrize("config", ["mnist-keras", "resnet-mini"])
def test_a_warm_step_allocates_next_to_nothing(config: str) -> None:
    experiment = load(CONFIGS / f"{config}.yaml")
    model, optimizer = Model.create(experiment.graph), OPTIMIZERS["adam"]()
    x = np.random.default_rng(0).random((128, *experiment.graph.input_shape), dtype=np.float32)
    state = optimizer.new_state(model.flat)
    with Executor(model, workers=1) as executor:

        def train(step: int) -> None:
            objective = LossObjective.of(experiment.loss, model.graph, np.arange(128) % 10)
            result = executor.differentiate(x, objective, training=True, step=step, update_buffers=True)
            optimizer.update(model.flat, result.flat_gradient, state, step + 1)

        for step in range(3):
            train(step)
        taken = [workspace.nbytes for workspace in executor._worker._workspaces]
        tracemalloc.start()
        train(3)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1_000_000
    assert [workspace.nbytes for workspace in executor._worker._workspaces] == taken


def test_no_samples_give_no_numbers() -> None:
    graph = residual()
    x, objective = data(graph, 0)
    with Executor(Model.create(graph), workers=2) as executor:
        assert executor.infer(x).shape == (0, 5)
        result = executor.differentiate(x, objective, training=True)
    assert result.values.shape == (0,)
    assert not result.flat_gradient.any()


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    def tap(name: str, what: str, array: Array, samples: slice) -> None:
        raise RuntimeError("from a tap")

    graph = residual()
    x, _ = data(graph, 100)
    with Executor(Model.create(graph), workers=2) as executor, pytest.raises(RuntimeError, match="from a tap"):
        executor.infer(x, taps=[tap])


@pytest.mark.parametrize("pool", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}])
def test_pooling_before_relu_gives_the_same_bits(pool: dict[str, Any]) -> None:
    """Taps want every value, so with them nothing changes places."""
    graph = build(
        (2, 9, 9),
        [
            ("conv", layer("conv2d", out_channels=4, kernel_size=3, padding=1), (INPUT,)),
            ("relu", layer("relu"), ("conv",)),
            ("pool", layer("max_pool2d", **pool), ("relu",)),
            ("flat", layer("flatten"), ("pool",)),
            ("classes", layer("linear", out_features=5), ("flat",)),
        ],
    )
    x, objective = data(graph, 20)
    x[0] = 0  # ties, and windows of zeros alone
    x[1] = np.round(x[1])
    with Executor(Model.create(graph), workers=1) as executor:
        plain = executor.differentiate(x, objective, training=True, taps=[lambda *_: None])
        expected = plain.values, plain.output, plain.flat_gradient.copy()
        quick = executor.differentiate(x, objective, training=True)
        for a, b in zip(expected, (quick.values, quick.output, quick.flat_gradient), strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(executor.infer(x, at="relu"), record_forward(executor, x).activations["relu"])
