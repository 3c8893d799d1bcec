from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.graph import Model
from cnncli.inspection.attribution.method import Attribution, Target
from cnncli.inspection.attribution.saliency import Gradient
from cnncli.inspection.attribution.sanity import rank_correlation, sanity
from tests.inspection.attribution.networks import LENET, RESNET, inputs, model_of, network, target_of


def test_rank_correlation() -> None:
    a = np.array([3.0, 1.0, 2.0, 10.0])
    assert rank_correlation(a, a**3) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(1 - 6 * (4 + 1 + 1 + 0) / (4 * 15))
    assert np.isnan(rank_correlation(a, np.ones(4)))
    assert np.isnan(rank_correlation(a, np.array([np.nan, 1, 2, 3])))


def test_equal_numbers_share_their_mean_rank() -> None:
    """Pearson's correlation of the ranks 1.5, 1.5, 3.5, 3.5 and 1, 2, 3, 4."""
    a, b = np.array([5.0, 5.0, 7.0, 7.0]), np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(a, b) == pytest.approx(np.corrcoef([1.5, 1.5, 3.5, 3.5], b)[0, 1])


def test_rank_correlation_does_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 6)).round(1)
    places = rng.permutation(30)
    assert rank_correlation(a, b) == pytest.approx(rank_correlation(a.ravel()[places], b.ravel()[places]), abs=1e-14)


class _Weights:
    """Not an attribution at all: the sums of every layer's numbers, so that it is seen which were drawn anew."""

    name = "weights"

    def attribute(self, executor: Executor, x: NDArray, target: Target) -> Attribution:
        sums = [array.sum(dtype=np.float64) for array in executor.model.state_dict().values()]
        return Attribution(np.array([sums] * len(x)), signed=True)


def test_the_weights_are_drawn_anew_from_the_output_down() -> None:
    model = model_of(RESNET)
    fresh = Model.create(RESNET, 9, np.float64)
    keys = list(model.state_dict())
    with Executor(model) as executor:
        original = _Weights().attribute(executor, inputs(RESNET), target_of(RESNET)).values
        steps = sanity(_Weights(), executor, inputs(RESNET), target_of(RESNET), original, seed=9)
    assert [step.node for step in steps] == ["linear", "norm3", "conv3", "norm2", "conv2", "norm1", "conv1"]
    drawn: list[str] = []
    for step in steps:
        drawn.append(step.node)
        for place, key in enumerate(keys):
            states = fresh if key.partition(".")[0] in drawn else model
            assert step.values[0, place] == states.state_dict()[key].sum(dtype=np.float64), (step.node, key)


def test_what_hangs_on_the_weights_changes_and_is_compared() -> None:
    with Executor(model_of(LENET)) as executor:
        found = Gradient().attribute(executor, inputs(LENET), target_of(LENET)).values
        told: list[tuple[int, int]] = []
        steps = sanity(
            Gradient(), executor, inputs(LENET), target_of(LENET), found, seed=2, progress=lambda *at: told.append(at)
        )
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    for step in steps:
        assert step.changed
        assert len(step.correlations) == len(found)
        assert max(step.correlations) < 0.9
        again = [rank_correlation(np.abs(a), np.abs(b)) for a, b in zip(found, step.values, strict=True)]
        assert list(step.correlations) == again
        assert step.with_signs == tuple(rank_correlation(a, b) for a, b in zip(found, step.values, strict=True))
        assert step.with_signs != step.correlations


def test_numbers_written_in_the_configuration_stay() -> None:
    graph = network(
        (2,),
        [
            ("fixed", "linear", {"out_features": 2, "weight": [[1.0, 2.0], [3.0, -4.0]], "bias": False}),
            ("drawn", "linear", {"out_features": 2}),
        ],
    )
    model = Model.create(graph, 0, np.float64)
    with Executor(model) as executor:
        found = Gradient().attribute(executor, np.ones((1, 2)), Target("drawn", np.array([[0]]))).values
        target = Target("drawn", np.array([[0]]))
        drawn, fixed = sanity(Gradient(), executor, np.ones((1, 2)), target, found, seed=1)
    assert (drawn.node, drawn.changed) == ("drawn", True)
    assert (fixed.node, fixed.changed) == ("fixed", False)
    np.testing.assert_array_equal(drawn.values, fixed.values)


def test_layers_that_the_target_does_not_depend_on_are_left_out() -> None:
    graph = network((2,), [("logits", "linear", {"out_features": 2}), ("more", "linear", {"out_features": 2})])
    with Executor(model_of(graph)) as executor:
        target = Target("logits", np.array([[0]]))
        found = Gradient().attribute(executor, np.ones((1, 2)), target).values
        (step,) = sanity(Gradient(), executor, np.ones((1, 2)), target, found, seed=1)
    assert step.node == "logits"
