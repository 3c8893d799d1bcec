"""Class weights: the numbers themselves, and that a batch's objective is the weighted mean, as PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import Executor, LossObjective
from cnncli.errors import UsageError
from cnncli.graph import Model
from cnncli.losses import LOSSES
from cnncli.training.weights import class_weights, sample_weights

from .networks import IMAGE, convnet, sequence

Array = NDArray[Any]

TARGETS = np.array([0, 0, 0, 1, 2, 2])
MANY = (np.arange(40) ** 2 + np.arange(40) // 3) % 5


def test_balanced_is_as_in_scikit_learn() -> None:
    expected = [
        1.0,
        0.6666666666666666,
        2.6666666666666665,
        0.8888888888888888,
        1.0,
    ]  # compute_class_weight("balanced")
    assert class_weights(MANY, 5, "balanced") == pytest.approx(expected)
    assert class_weights(MANY, 7, "balanced") == pytest.approx([*expected, 0, 0])
    assert class_weights(np.eye(5)[MANY], 5, "balanced") == pytest.approx(expected)


def test_one_output_is_the_share_of_the_second_of_two_classes() -> None:
    targets = np.array([1, 0, 0, 0])
    for form in (targets, targets.astype(np.float32), targets[:, None].astype(np.float32)):
        weights = class_weights(form, 1, "balanced")
        assert weights == pytest.approx([4 / 6, 2])
        assert sample_weights(weights, form)[0] == pytest.approx([2, 4 / 6, 4 / 6, 4 / 6])


def test_weights_of_a_batch_have_the_mean_1() -> None:
    weights = class_weights(TARGETS, 3, [1, 2, 3])
    found, total = sample_weights(weights, TARGETS)
    assert (found.mean(), total) == (pytest.approx(1), 11)
    assert found / found[0] == pytest.approx([1, 1, 1, 2, 3, 3])
    shares = np.array([[0.5, 0.5, 0], [0, 0, 1]])
    assert sample_weights(weights, shares)[0] == pytest.approx(np.array([1.5, 3]) / 2.25)


def test_a_batch_of_nothing_that_counts_moves_nothing() -> None:
    found, total = sample_weights(class_weights(TARGETS, 3, [0, 1, 1]), np.array([0, 0]))
    assert (found.tolist(), total) == ([0, 0], 0)


@pytest.mark.parametrize(
    ("targets", "classes", "wanted", "message"),
    [
        (TARGETS, 3, [1.0, 2.0], "train.class_weight: 2 numbers for 3 classes; expected one for each, or balanced"),
        (TARGETS, 3, [0.0, 0.0, 0.0], "train.class_weight: every weight is 0"),
        (np.ones((4, 3), np.float32), 3, "balanced", "train.class_weight: needs one class for each sample"),
        (np.zeros((4, 2, 2), np.int64), 3, [1.0, 1.0, 1.0], "train.class_weight: needs one class for each sample"),
        (np.array([0.5, 7.0]), 1, "balanced", "train.class_weight: needs one class for each sample"),
    ],
)
def test_what_does_not_fit_is_refused(targets: Array, classes: int, wanted: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        class_weights(targets, classes, wanted)
    assert str(caught.value).startswith(message)


def test_loss_and_gradient_are_those_of_the_weighted_mean() -> None:
    """CrossEntropyLoss(weight=w) is sum(w_i l_i) / sum(w_i), so that its gradient is the sum of those of the single
    samples with these shares."""
    rng = np.random.default_rng(0)
    graph = sequence((5,), ("linear", {"out_features": 3}))
    model = Model.create(graph, seed=1, dtype=np.float64)
    x, loss = rng.normal(size=(6, 5)), LOSSES["cross_entropy"]()
    weights = np.array([0.2, 1.0, 3.0])
    with Executor(model, workers=1) as executor:
        found, _ = sample_weights(weights, TARGETS)
        result = executor.differentiate(x, LossObjective.of(loss, graph, TARGETS, found))
        value, gradient = result.value, result.flat_gradient.copy()
        expected, values = np.zeros_like(gradient), []
        for row in range(6):
            alone = executor.differentiate(x[row : row + 1], LossObjective.of(loss, graph, TARGETS[row : row + 1]))
            expected += weights[TARGETS[row]] * alone.flat_gradient
            values.append(weights[TARGETS[row]] * alone.value)
    total = weights[TARGETS].sum()
    assert value == pytest.approx(sum(values) / total, rel=1e-12)
    np.testing.assert_allclose(gradient, expected / total, rtol=1e-10)


def test_every_worker_weights_its_own_samples() -> None:
    rng = np.random.default_rng(4)
    model = Model.create(convnet(), seed=1)
    x, targets = rng.normal(size=(2048, *IMAGE)).astype(np.float32), rng.integers(0, 3, 2048)
    found, _ = sample_weights(np.array([0.2, 1.0, 3.0]), targets)
    objective = LossObjective.of(LOSSES["cross_entropy"](), model.graph, targets, found)
    results = []
    for workers in (1, 2):
        with Executor(model, workers=workers) as executor:
            executor.start(len(x))
            assert executor.helpers == workers - 1
            result = executor.differentiate(x, objective)
            results.append((result.values.tobytes(), result.flat_gradient.tobytes()))
    assert results[0] == results[1]


def test_cross_entropy_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    logits, targets, weights = rng.normal(size=(50, 5)), rng.integers(0, 5, 50), np.array([0.5, 0.0, 2.0, 1.0, 7.0])
    y = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(y, torch.tensor(targets), weight=torch.tensor(weights))
    expected.backward()
    graph = sequence((5,), ("flatten", {}))
    found, _ = sample_weights(weights, targets)
    objective = LossObjective.of(LOSSES["cross_entropy"](), graph, targets, found)
    values, gradient = objective.evaluate(logits.T.copy(), slice(0, 50))
    assert values.mean() == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradient.T / 50, y.grad.numpy(), atol=1e-12)
