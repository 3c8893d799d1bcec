"""The health of each layer is what NumPy says of the arrays themselves, and looking at it changes nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.engine import Executor, LossObjective, record_backward
from cnncli.graph import Model
from cnncli.losses import LOSSES
from cnncli.training.checkpoint import load_state
from cnncli.training.health import SAMPLES, Checkup, Health, Update
from cnncli.training.loop import fit
from cnncli.training.optimizers import SGD, Adam
from cnncli.training.run_directory import RunDirectory
from cnncli.training.settings import TrainSettings

from .networks import convnet, dataset, sequence, weights_of

LOSS = LOSSES["cross_entropy"]()


def looked_at(model: Model, **changes: Any) -> dict[str, Health]:
    """After one update of plain gradient descent on some samples."""
    data = dataset()
    x, targets = data.train.batch(np.arange(16))
    with Executor(model, workers=1, seed=5) as executor:
        result = executor.differentiate(x, LossObjective.of(LOSS, model.graph, targets), training=True)
        before = model.flat.copy()
        SGD(lr=0.1).update(model.flat, result.flat_gradient, {}, 1)
        update = Update.between(before, model, result.flat_gradient)
        return {each.node: each for each in Checkup(executor, data.train, 32).health(update)}


def test_norms_and_ratio() -> None:
    model, untouched = Model.create(convnet(), seed=5), Model.create(convnet(), seed=5)
    found = looked_at(model)
    assert [node for node, health in found.items() if health.update_ratio is not None] == [
        "conv2d0",
        "batch_norm1",
        "linear6",
    ]
    for node in ("conv2d0", "linear6"):
        whole = [np.concatenate([*map(np.ravel, each.parameters[node].values())]) for each in (untouched, model)]
        change = np.linalg.norm(whole[1] - whole[0])
        assert found[node].weight_norm == pytest.approx(np.linalg.norm(whole[0]), rel=1e-5)
        assert found[node].update_ratio == pytest.approx(change / np.linalg.norm(whole[0]), rel=1e-4)
        assert found[node].gradient_norm == pytest.approx(change / 0.1, rel=1e-3)


def test_activations_are_those_of_training_on_samples_from_all_over_the_split() -> None:
    model = Model.create(convnet(), seed=5)
    found = looked_at(model)
    data = dataset()
    x, targets = data.train.batch(np.arange(0, 96, 3))
    assert len(x) == 32 <= SAMPLES
    with Executor(model, workers=1, seed=5) as executor:
        recording = record_backward(executor, x, LossObjective.of(LOSS, model.graph, targets), training=True)
    for node, health in found.items():
        assert health.std == pytest.approx(recording.activations[node].std(), rel=1e-5)
    rectified = recording.activations["relu2"]
    assert found["relu2"].zeros == pytest.approx((rectified == 0).mean())
    assert found["conv2d0"].zeros is None
    assert found["conv2d0"].dead is None


def test_a_channel_that_no_sample_wakes_is_dead() -> None:
    graph = sequence(
        (1, 6, 6),
        ("conv2d", {"out_channels": 4, "kernel_size": 3}),
        ("relu", {}),
        ("flatten", {}),
        ("linear", {"out_features": 8}),
        ("relu", {}),
        ("linear", {"out_features": 3}),
    )
    model = Model.create(graph, seed=5)
    model.parameters["conv2d0"]["bias"][:] = (0, -1e6, 0, 1)
    model.parameters["linear3"]["bias"][:] = (1e6, -1e6, -1e6, -1e6, 1e6, 1e6, 1e6, 1e6)
    found = looked_at(model)
    assert found["relu1"].dead == 0.25
    assert found["relu4"].dead == found["relu4"].zeros == 0.375


def test_what_does_not_vary_has_no_spread_and_weights_of_zero_no_ratio() -> None:
    graph = sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}))
    model = Model.create(graph)
    model.flat[...] = 0
    found = looked_at(model)
    assert found["linear1"].weight_norm == 0
    assert math.isnan(found["linear1"].update_ratio or 0.0)
    model.flat[...] = 0
    with Executor(model, workers=1) as executor:
        update = Update.between(model.flat, model, model.flat)
        assert Checkup(executor, dataset().train, 8).health(update)[-1].std == 0


def trained(run: RunDirectory | None) -> Model:
    """With batch norm and dropout."""
    model = Model.create(convnet(), seed=5)
    fit(model, dataset(), LOSS, Adam(lr=0.02), TrainSettings(epochs=3, batch_size=16), seed=5, workers=1, run=run)
    return model


def test_looking_changes_no_bit_of_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither statistics nor random numbers are touched."""
    looked = RunDirectory.create("toy", "", tmp_path / "looked")
    model = trained(looked)
    assert weights_of(model) == weights_of(trained(None))
    monkeypatch.setattr(Checkup, "health", lambda *_: ())
    blind = RunDirectory.create("toy", "", tmp_path / "blind")
    trained(blind)
    states = [load_state(run.state, Model.create(convnet())) for run in (looked, blind)]
    assert set(states[0].slots) == {"gradient_sum", "square_sum"}
    found = {str({key: array.tobytes() for key, array in {**each.weights, **each.slots}.items()}) for each in states}
    assert len(found) == 1


def test_one_row_an_epoch_and_node(tmp_path: Path) -> None:
    run = RunDirectory.create("toy", "", tmp_path / "run")
    trained(run)
    rows = run.read_health()
    names = [node.name for node in convnet().nodes]
    assert [(row["epoch"], row["step"], row["node"]) for row in rows] == [
        (epoch, 6 * epoch, name) for epoch in (1, 2, 3) for name in names
    ]
    assert all(0 < row["update_ratio"] < 1 for row in rows if row["node"] in ("conv2d0", "linear6"))
    assert all(0 <= row["dead"] <= row["zeros"] < 1 for row in rows if row["node"] == "relu2")
    assert math.isnan(rows[0]["dead"])
