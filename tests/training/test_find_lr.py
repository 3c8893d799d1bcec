"""The learning-rate range test: the right rates, on a copy, as in training, and a suggestion that learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cnncli.data.loading import Loader
from cnncli.engine import Executor, LossObjective
from cnncli.errors import DataError, DivergedError, UsageError
from cnncli.graph import Graph, Model
from cnncli.losses import LOSSES
from cnncli.training.find_lr import Curve, curve_of, find_lr, smooth
from cnncli.training.loop import fit
from cnncli.training.optimizers import SGD, Adam, Optimizer
from cnncli.training.settings import TrainSettings

from .networks import convnet, dataset, sequence, weights_of

CROSS_ENTROPY = LOSSES["cross_entropy"]()


def search(model: Model, *, optimizer: Optimizer | None = None, **options: Any) -> Curve:
    settings = TrainSettings(batch_size=16, **options.pop("train", {}))
    span = {"low": 1e-5, "high": 100.0, "steps": 60, "workers": 1, **options}
    return find_lr(model, dataset(), CROSS_ENTROPY, optimizer or Adam(), settings, **span)


def small(graph: Graph | None = None) -> Model:
    return Model.create(graph or convnet(), seed=5)


def test_the_rates_rise_by_equal_factors_from_the_first_to_the_last() -> None:
    curve = search(small(), optimizer=SGD(), low=1e-6, high=1e-2, steps=41)
    assert not curve.exploded
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) == 41
    assert (curve.rates[0], curve.rates[-1]) == pytest.approx((1e-6, 1e-2))
    np.testing.assert_allclose(np.diff(np.log10(curve.rates)), 0.1)


def test_the_network_stays_as_it_is() -> None:
    model = small()
    before = weights_of(model)
    search(model)
    assert weights_of(model) == before


def test_losses_are_those_of_a_plain_loop() -> None:
    """Two updates' worth of batches for each, clipped, as configured."""
    data, model, optimizer = dataset(), small(), SGD(momentum=0.9)
    curve = search(
        small(), optimizer=optimizer, train={"accumulate": 2, "clip_value": 0.01}, low=0.1, high=1.6, steps=5
    )
    batches = [batch for epoch in (1, 2) for batch in Loader(data, 16, 0, 3).epoch(epoch)]
    state, losses = optimizer.new_state(model.flat), []
    with Executor(model, workers=1) as executor:
        for update, rate in enumerate([0.1, 0.2, 0.4, 0.8, 1.6]):
            gradient, values = np.zeros_like(model.flat), []
            for place in (2 * update, 2 * update + 1):
                batch = batches[place]
                objective = LossObjective.of(CROSS_ENTROPY, model.graph, batch.targets)
                result = executor.differentiate(batch.x, objective, training=True, step=place, update_buffers=True)
                gradient += result.flat_gradient / 2
                values.append(result.value)
            losses.append(np.mean(values))
            optimizer.update(model.flat, np.clip(gradient, -0.01, 0.01), state, update + 1, lr=rate)
    assert curve.losses == pytest.approx(losses, rel=1e-5)


def test_what_is_frozen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    before = weights_of(model)
    monkeypatch.setattr(Model, "astype", lambda self, dtype: self)  # the copy, which nobody sees, is the model itself
    search(model, train={"freeze": ["conv*"]}, low=1e-3, high=1.0, steps=20)
    changed = {name for name, numbers in weights_of(model).items() if numbers != before[name]}
    assert {name for name in before if name.startswith("conv")} == {"conv2d0.weight"}
    assert changed == set(before) - {"conv2d0.weight"}
    with pytest.raises(UsageError, match="all parameters are frozen"):
        search(small(), train={"freeze": ["*"]})


def test_classes_weigh() -> None:
    every = {"low": 1e-3, "high": 1.0, "steps": 20}
    assert search(small(), train={"class_weight": [1, 0, 0]}, **every).losses != search(small(), **every).losses


@pytest.mark.parametrize("optimizer", [Adam(), SGD(momentum=0.9)], ids=lambda each: each.type)
def test_a_network_learns_at_the_suggestion(optimizer: Optimizer) -> None:
    curve = search(small(), optimizer=optimizer)
    assert curve.suggestion is not None
    settings = TrainSettings(epochs=6, batch_size=16)
    found = optimizer.model_copy(update={"lr": curve.suggestion})
    result = fit(small(), dataset(), CROSS_ENTROPY, found, settings, seed=5, workers=1)
    assert result.test is not None
    assert result.test.accuracy is not None
    assert result.test.accuracy >= 0.9


def test_it_is_over_when_the_loss_explodes() -> None:
    curve = search(small(), optimizer=SGD(momentum=0.9), high=1e6)
    assert curve.exploded
    assert curve.rates[-1] < 1e4
    assert np.isfinite(curve.losses).all()


def test_the_same_bits_every_time() -> None:
    assert search(small()) == search(small(), workers=2)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    search(small(), steps=10, high=1e-3, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 10) for done in range(1, 11)]


def test_a_moving_average_begins_with_the_first_loss() -> None:
    assert smooth([3.0, 3.0, 3.0]) == pytest.approx([3, 3, 3])
    assert smooth([1.0, 2.0]) == pytest.approx([1, (0.9 * 1 + 2) / 1.9])


def test_what_a_curve_says() -> None:
    """A slope whose middle is at 1e-3, then a rise from 1e-1 on."""
    rates = np.geomspace(1e-6, 1, 121)
    losses = 2 - np.tanh(2 * np.log10(rates / 1e-3)) + np.maximum(np.log10(rates / 1e-1), 0) * 3
    curve = curve_of(rates.tolist(), losses.tolist(), exploded=False)
    assert curve.minimum == pytest.approx(1e-1, rel=1)
    assert 1e-3 <= (curve.halfway or 0) < 3e-3  # the average comes a little late
    assert curve.suggestion == curve.halfway
    late = replace(curve, halfway=curve.minimum)
    assert late.minimum is not None
    assert late.suggestion == late.minimum / 10


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_no_rate_is_suggested_where_the_loss_does_not_fall(noise: float) -> None:
    rates = np.geomspace(1e-6, 1, 100)
    losses = 2.3 + noise * np.sin(np.arange(100.0)) + np.maximum(np.log10(rates) + 1, 0)
    curve = curve_of(rates.tolist(), losses.tolist(), exploded=False)
    assert (curve.minimum, curve.halfway, curve.suggestion) == (None, None, None)


def test_errors() -> None:
    model = small()
    model.flat[...] = np.nan
    with pytest.raises(DivergedError, match="the loss is nan before the first update: look for nan or huge numbers"):
        search(model)
    with pytest.raises(DivergedError, match="explodes at the first learning rate, 1e\\+20: begin lower with --from"):
        search(small(sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}))), low=1e20, high=1e30)
    data = dataset()
    data.train.store[7] = np.inf
    with pytest.raises(DataError, match="a number that is not finite, in train:7;"):
        find_lr(small(), data, CROSS_ENTROPY, SGD(), TrainSettings(batch_size=16), low=1e-3, high=1, steps=10)
