"""What a step does, against what its gradient says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncli.engine import Executor, LossObjective
from cnncli.graph import Model
from cnncli.inspection.descent import SHARES, Descent, descend
from cnncli.inspection.proxies import LayerProxy, with_layers
from cnncli.losses import CrossEntropy, MeanSquaredError
from cnncli.training.optimizers import OPTIMIZERS, SGD, Optimizer
from tests.inspection.lots import samples
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

RNG = np.random.default_rng(3)
X = RNG.normal(size=(5, *INPUT_SHAPE))
CLASSES = RNG.integers(3, size=5)


def take(model: Model, optimizer: Optimizer, *, targets: Any = CLASSES, loss: Any = None, **options: Any) -> Descent:
    state, lot = optimizer.new_state(model.flat), samples(X, targets)
    with Executor(model) as executor:
        return descend(
            executor,
            lot,
            lambda indices: LossObjective.of(loss or CrossEntropy(), model.graph, targets[indices]),
            lambda flat, gradient, step: optimizer.update(flat, gradient, state, step),
            **options,
        )


def network(seed: int = 0) -> Model:
    return Model.create(chain(INPUT_SHAPE, *CHAIN), seed=seed, dtype=np.float64)


@pytest.mark.parametrize("lr", [1e-4, 1e-2])
def test_plain_gradient_descent_is_predicted_to_gain_lr_times_the_square_of_the_gradient(lr: float) -> None:
    found = take(network(), SGD(lr=lr))
    (step,) = found.steps
    assert step.predicted == pytest.approx(-lr * np.square(found.gradient).sum(), rel=1e-12)
    np.testing.assert_allclose(found.change, -lr * found.gradient, rtol=1e-9, atol=1e-18)
    assert step.actual == found.objectives[1] - found.objectives[0]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_ratio_goes_to_one_and_the_rest_is_of_second_order(kind: str) -> None:
    found = take(network(), OPTIMIZERS[kind](lr=1e-5))
    assert [each.share for each in found.shares] == list(SHARES)
    assert found.shares[0].ratio == pytest.approx(1, abs=0.01)
    errors = [abs((each.ratio or 0) - 1) for each in found.shares]
    assert errors == sorted(errors, reverse=True)
    for whole, half in zip(found.shares, found.shares[1:], strict=False):
        assert half.rest == pytest.approx(whole.rest / 4, rel=0.02)


def test_on_a_quadratic_the_rest_is_a_quarter_exactly() -> None:
    model = Model.create(
        chain(INPUT_SHAPE, ("flatten1", "flatten", {}), ("linear1", "linear", {"out_features": 2})), dtype=np.float64
    )
    found = take(model, SGD(lr=0.01), targets=RNG.normal(size=(5, 2)), loss=MeanSquaredError())
    for each in found.shares:
        assert each.rest == pytest.approx(found.shares[0].rest * each.share**2, rel=1e-9)


class Twice(LayerProxy):
    """With twice the gradients of the parameters."""

    def backward(self, params: Any, cache: Any, dy: Any, run: Any) -> Any:
        dxs, gradients = self.layer.backward(params, cache, dy, run)
        return dxs, {key: 2 * gradient for key, gradient in gradients.items()}


def test_with_a_wrong_gradient_the_ratio_goes_elsewhere() -> None:
    right = take(network(), SGD(lr=1e-6))
    sound = network()
    linear = sum(sound.parameters["linear1"][key].size for key in ("weight", "bias"))
    rest, doubled = np.split(np.square(right.gradient), [len(right.gradient) - linear])
    found = take(with_layers(sound, {"linear1": Twice(sound.graph.by_name["linear1"].layer)}), SGD(lr=1e-6))
    expected = (rest.sum() + 2 * doubled.sum()) / (rest.sum() + 4 * doubled.sum())
    assert found.shares[-1].ratio == pytest.approx(expected, abs=1e-4)
    assert expected < 0.8


def test_several_steps_follow_the_optimizer() -> None:
    model, optimizer = network(), OPTIMIZERS["adam"](lr=0.01)
    start = model.flat.copy()
    found = take(model, optimizer, steps=3)
    by_hand, state = network(), optimizer.new_state(network().flat)
    with Executor(by_hand) as executor:
        for step in (1, 2, 3):
            objective = LossObjective.of(CrossEntropy(), by_hand.graph, CLASSES)
            result = executor.differentiate(X, objective)
            assert found.objectives[step - 1] == pytest.approx(result.value, rel=1e-12)
            optimizer.update(by_hand.flat, result.flat_gradient, state, step)
    np.testing.assert_array_equal(found.start, start)
    np.testing.assert_allclose(start + found.change, by_hand.flat, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(model.flat, by_hand.flat, rtol=1e-12, atol=1e-15)  # where the steps led
    assert found.objectives[-1] - found.objectives[0] == pytest.approx(sum(each.actual for each in found.steps))
    assert len(found.objectives) == 4


def test_before_and_after_are_what_they_say() -> None:
    model = network()
    found = take(model, SGD(lr=0.1))
    with Executor(network()) as executor:
        np.testing.assert_allclose(found.before.activations["linear1"], executor.infer(X)[:1], rtol=1e-12)
    with Executor(model) as executor:
        np.testing.assert_allclose(found.after.activations["linear1"], executor.infer(X)[:1], rtol=1e-12)


def test_in_training_mode_the_same_dropout_is_in_every_pass() -> None:
    found = take(network(), SGD(lr=1e-6), training=True)
    assert found.shares[0].ratio == pytest.approx(1, abs=1e-4)
