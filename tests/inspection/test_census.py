"""Numbers over many samples, batch by batch, are those of all samples at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncli.engine import Executor, LogitObjective, LossObjective, Objective, record_backward, record_forward
from cnncli.graph import Graph, Model, build
from cnncli.inspection import census as module
from cnncli.inspection.census import Census, backward_census, forward_census
from cnncli.inspection.samples import Samples
from cnncli.inspection.statistics import Statistics
from cnncli.layers import LAYERS
from cnncli.losses import CrossEntropy
from tests.inspection.lots import samples
from tests.inspection.views.makers import chain

COUNT = 23


def network(*between: tuple[str, str, dict[str, Any]]) -> Graph:
    return chain(
        (1, 6, 6),
        ("conv1", "conv2d", {"out_channels": 4, "kernel_size": 3}),
        *between,
        ("relu1", "relu", {}),
        ("pool1", "max_pool2d", {"kernel_size": 2}),
        ("flatten1", "flatten", {}),
        ("linear1", "linear", {"out_features": 3}),
    )


@pytest.fixture(params=[1, 7, 1000], ids=lambda size: f"batches of {size}")
def _batch_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "batch_size", lambda graph, names: request.param)


def model(*between: tuple[str, str, dict[str, Any]]) -> Model:
    made = Model.create(network(*between), seed=1, dtype=np.float64)
    made.parameters["conv1"]["weight"][2] = 0
    made.parameters["conv1"]["bias"][:] = (0.1, 0, -0.5, 0)  # channel 2 is below 0 everywhere
    return made


def given() -> Samples:
    rng = np.random.default_rng(0)
    return samples(rng.normal(size=(COUNT, 1, 6, 6)), rng.integers(3, size=COUNT))


def loss_of(graph: Graph, lot: Samples) -> Any:
    return lambda indices: LossObjective.of(CrossEntropy(), graph, lot.targets[indices])


def same(found: Statistics, expected: Statistics) -> None:
    assert (found.size, found.nonfinite) == (expected.size, expected.nonfinite)
    assert (found.min, found.max) == (pytest.approx(expected.min), pytest.approx(expected.max))
    for name in ("mean", "std", "norm", "zeros"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12, abs=1e-15), name


def agree(found: Census, expected: Census) -> None:
    assert (found.samples, found.silent) == (expected.samples, expected.silent)
    for ours, theirs in ((found.activations, expected.activations), (found.gradients, expected.gradients)):
        assert set(theirs) <= set(ours)
        for name, statistics in theirs.items():
            same(ours[name], statistics)
    assert found.objective == (None if expected.objective is None else pytest.approx(expected.objective, rel=1e-12))


@pytest.mark.usefixtures("_batch_size")
def test_forward() -> None:
    lot = given()
    with Executor(model()) as executor:
        first, found = forward_census(executor, lot)
        whole = record_forward(executor, lot.x(np.arange(COUNT)))
    agree(found, Census.of(whole))
    for name, array in first.activations.items():
        np.testing.assert_allclose(array, whole.activations[name][:1], rtol=1e-12, atol=1e-15)


@pytest.mark.usefixtures("_batch_size")
@pytest.mark.parametrize("kind", ["mean of the losses", "sum of a logit"])
def test_backward(kind: str) -> None:
    lot, every = given(), np.arange(COUNT)
    made = model()

    def choose(indices: Any) -> Objective:
        if kind == "mean of the losses":
            return loss_of(made.graph, lot)(indices)
        return LogitObjective("linear1", np.array([[2]]))

    with Executor(made) as executor:
        first, found = backward_census(executor, lot, choose)
        whole = record_backward(executor, lot.x(every), choose(every))
    agree(found, Census.of(whole, mean=choose(every).mean))
    for name, array in first.gradients.items():
        np.testing.assert_allclose(array, whole.gradients[name][:1], rtol=1e-12, atol=1e-15)
    for node, gradients in first.parameter_gradients.items():
        for key, array in gradients.items():
            np.testing.assert_allclose(array, whole.parameter_gradients[node][key], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(first.values, whole.values, rtol=1e-12)


@pytest.mark.usefixtures("_batch_size")
def test_in_training_mode_all_samples_are_one_batch() -> None:
    lot, every = given(), np.arange(COUNT)
    made = model(("bn1", "batch_norm", {}))
    choose = loss_of(made.graph, lot)
    with Executor(made) as executor:
        _, found = backward_census(executor, lot, choose, training=True)
        whole = record_backward(executor, lot.x(every), choose(every), training=True)
    agree(found, Census.of(whole, mean=True))


def test_dead_units_are_those_that_no_sample_moves() -> None:
    with Executor(model()) as executor:
        _, found = forward_census(executor, given())
    assert found.silent == {
        "input": (),
        "conv1": (),
        "relu1": (2,),
        "pool1": (2,),
        "flatten1": (8, 9, 10, 11),
        "linear1": (),
    }


def test_a_unit_that_is_not_a_number_is_not_dead() -> None:
    lot = samples(np.full((3, 1, 6, 6), np.nan))
    with Executor(model()) as executor:
        _, found = forward_census(executor, lot)
    assert found.silent["conv1"] == ()
    assert found.activations["conv1"].nonfinite == 3 * 4 * 16


def test_what_the_objective_does_not_depend_on_has_no_gradient() -> None:
    with Executor(model()) as executor:
        first, _ = backward_census(executor, given(), lambda indices: LogitObjective("pool1", np.array([[0, 0, 0]])))
    assert set(first.gradients) == {"input", "conv1", "relu1", "pool1"}
    assert set(first.parameter_gradients) == {"conv1", "linear1"}
    assert not first.parameter_gradients["linear1"]["weight"].any()


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "batch_size", lambda graph, names: 10)
    told: list[tuple[int, int]] = []
    with Executor(model()) as executor:
        forward_census(executor, given(), progress=lambda done, of: told.append((done, of)))
    assert told == [(10, 23), (20, 23), (23, 23)]


def test_any_number_of_inputs_of_a_join() -> None:
    graph = build(
        (2, 3, 3),
        [
            ("a", LAYERS["conv2d"](out_channels=2, kernel_size=1), ("input",)),
            ("sum", LAYERS["add"](), ("a", "input")),
            ("out", LAYERS["global_avg_pool2d"](), ("sum",)),
        ],
    )
    lot = samples(np.random.default_rng(1).normal(size=(5, 2, 3, 3)))
    objective = LogitObjective("out", np.array([[1]]))
    with Executor(Model.create(graph, dtype=np.float64)) as executor:
        _, found = backward_census(executor, lot, lambda indices: objective)
        agree(found, Census.of(record_backward(executor, lot.x(np.arange(5)), objective)))
