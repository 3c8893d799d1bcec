from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, record_backward
from cnncli.errors import UsageError
from cnncli.graph import Model
from cnncli.inspection import maximization
from cnncli.inspection.maximization import Ascent, ChannelObjective, Climbed, Range, blurred, climb
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

MODEL = Model.create(chain(INPUT_SHAPE, *CHAIN), seed=3, dtype=np.float64)
RANGE = Range(*(np.full((1, 1, 1), number) for number in (-1.0, 0.25, 2.0)))
FLAT = Model.create(chain((5,), ("units", "linear", {"out_features": 3})), seed=1, dtype=np.float64)
FLAT_RANGE = Range(np.full((5,), -1.0), np.zeros(5), np.full((5,), 2.0))


def made(at: str, channels: list[int], model: Model = MODEL, within: Range = RANGE, steps: int = 60) -> Climbed:
    with Executor(model, workers=1) as executor:
        return climb(executor, at, channels, within, Ascent(steps))


@pytest.mark.parametrize("at", ["conv1", "relu1", "linear1"])
def test_the_objective_is_the_mean_of_a_channel_and_its_gradient(at: str) -> None:
    rng = np.random.default_rng(0)
    x, channels = rng.normal(size=(5, *INPUT_SHAPE)), np.array([2, 0, 1, 2, 2])
    objective, step = ChannelObjective(at, channels), 1e-6
    with Executor(MODEL, workers=1) as executor:
        recording = record_backward(executor, x, objective)
        direction = rng.normal(size=x.shape)
        ahead = executor.differentiate(x + step * direction, objective).values
        behind = executor.differentiate(x - step * direction, objective).values
    means = recording.activations[at].reshape(5, recording.activations[at].shape[1], -1).mean(axis=2)
    np.testing.assert_allclose(recording.values, means[np.arange(5), channels], rtol=1e-12)
    slopes = (recording.gradients["input"] * direction).reshape(5, -1).sum(axis=1)
    np.testing.assert_allclose((ahead - behind) / (2 * step), slopes, rtol=1e-6)


@pytest.mark.parametrize("at", ["conv1", "relu1", "pool1", "linear1"])
def test_what_is_made_reaches_more_and_stays_in_the_range(at: str) -> None:
    found = made(at, [0, 2])
    assert found.x.shape == (2, *INPUT_SHAPE)
    assert (found.values > found.start).all()
    assert found.x.min() >= -1
    assert found.x.max() <= 2
    with Executor(MODEL, workers=1) as executor:
        means = executor.infer(found.x, at=at).reshape(2, -1, *MODEL.graph.shape_of(at)[1:])
    reached = [means[0, 0].mean(), means[1, 2].mean()]
    np.testing.assert_allclose(found.values, reached, rtol=1e-12)


def test_of_a_linear_unit_the_best_input_is_nearly_found() -> None:
    """Where the weight is positive the highest number is best, elsewhere the lowest."""
    weight, bias = FLAT.parameters["units"]["weight"], FLAT.parameters["units"]["bias"]
    found = made("units", [0, 1, 2], FLAT, FLAT_RANGE, steps=300)
    best = np.where(weight > 0, 2 * weight, -weight).sum(axis=1) + bias
    assert (found.values > 0.95 * best).all()


def test_the_same_seed_gives_the_same_images() -> None:
    with Executor(MODEL, workers=1) as executor:
        first, same, other = (climb(executor, "relu1", [1, 3], RANGE, Ascent(20, seed)).x for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_channels_do_not_depend_on_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    together = made("relu1", [0, 1, 2, 3], steps=20)
    monkeypatch.setattr(maximization, "TOGETHER", 3)
    with Executor(MODEL, workers=1) as executor:
        parts = climb(
            executor, "relu1", [0, 1, 2, 3], RANGE, Ascent(20), lambda done, total: told.append((done, total))
        )
    np.testing.assert_allclose(parts.x, together.x, rtol=1e-9, atol=1e-12)
    assert told == [(done, 40) for done in range(1, 41)]


def test_a_closed_rectifier_is_opened_by_other_noise() -> None:
    """It is open for bright images alone, and the noise at the start is not."""
    model = Model.create(
        chain((1, 6, 6), ("conv", "conv2d", {"out_channels": 2, "kernel_size": 2}), ("relu", "relu", {}))
    )
    model.parameters["conv"]["weight"][...] = 1
    model.parameters["conv"]["bias"][...] = -5, -100
    found = made("relu", [0, 1], model)
    assert found.start.tolist() == [0, 0]
    assert found.values[0] > 1
    assert found.values[1] == 0  # for no image in the range


def test_blur_keeps_the_mean_and_what_is_constant() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    np.testing.assert_allclose(blurred(x).mean(axis=(2, 3)), x.mean(axis=(2, 3)), rtol=1e-12, atol=1e-15)
    assert blurred(x).std() < 0.6 * x.std()
    np.testing.assert_array_equal(blurred(np.ones((1, 1, 1, 3))), np.ones((1, 1, 1, 3)))
    assert blurred(x[:, :, 0, 0]) is not None
    np.testing.assert_array_equal(blurred(x[:, :, 0, 0]), x[:, :, 0, 0])


def test_the_model_is_left_as_it_is() -> None:
    before = MODEL.flat.copy()
    made("linear1", [0])
    np.testing.assert_array_equal(MODEL.flat, before)


def test_no_steps_are_none() -> None:
    with pytest.raises(UsageError) as caught:
        Ascent(steps=0)
    assert str(caught.value) == "--steps 0: expected at least 1"
