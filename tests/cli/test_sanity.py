"""The checks of a training: all pass where it works, and where a fault is planted the right one fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.api.sanity import CHECKS, resume, shuffled
from cnncli.api.sanity.lab import Lab
from cnncli.inspection.sanity import Sanity, SanityRow
from cnncli.layers import LAYERS
from cnncli.training.checkpoint import TrainingState
from tests.cli.conftest import Cli, stripes

NAMES = [check.name for check in CHECKS]

NETWORK = """\
name: stripes
data: {source: npz, path: stripes.npz, classes: [across, down], validation: 0.25}
model:
  input: [1, 8, 8]
  layers:
    - {type: conv2d, name: conv, out_channels: 4, kernel_size: 3, bias: false}
    - {type: batch_norm, name: norm}
    - relu
    - {type: max_pool2d, kernel_size: 2}
    - flatten
    - {type: dropout, p: 0.2}
    - {type: linear, name: classes, out_features: 2}
loss: {type: cross_entropy, label_smoothing: 0.1}
optimizer: {type: adam, lr: 0.01, weight_decay: 1e-4}
schedule: cosine
train: {epochs: 2, batch_size: 16, ema: 0.9, clip_norm: 1.0}
"""
SAMPLES = 320


@pytest.fixture
def pictures(folder: Path) -> Path:
    """The working directory, with more stripes than other tests have."""
    write(folder, *stripes(SAMPLES, np.random.default_rng(0)))
    (folder / "stripes.yaml").write_text(NETWORK)
    return folder


def write(folder: Path, x: np.ndarray, y: np.ndarray) -> None:
    np.savez(folder / "stripes.npz", x_train=x, y_train=y)


def rows(result: Sanity) -> dict[str, SanityRow]:
    return {row.check: row for row in result.checks}


def failed(*changes: str, config: str = "stripes.yaml") -> dict[str, SanityRow]:
    """The checks that fail."""
    result = cnncli.sanity(config, set=list(changes), workers=1)
    found = {name: row for name, row in rows(result).items() if row.verdict == "FAIL"}
    assert result.verdict == ("FAIL" if found else "PASS")
    for row in found.values():
        assert row.measured
        assert row.expected
        assert row.fix
    return found


@pytest.mark.usefixtures("pictures")
def test_all_is_well(cli: Cli) -> None:
    outcome = cli("sanity", "--config", "stripes.yaml")
    assert outcome.code == 0, outcome.out
    assert outcome.err.splitlines() == [f"{place}/{len(NAMES)}  {name}" for place, name in enumerate(NAMES, 1)]
    for name in NAMES:
        assert f"✓ PASS  {name}" in outcome.out
    assert f"{len(NAMES)} PASS, " in outcome.out


@pytest.mark.usefixtures("pictures")
def test_as_json(cli: Cli) -> None:
    outcome = cli("sanity", "--config", "stripes.yaml", "--json", "--set", "optimizer.lr=0")
    assert outcome.code == 1
    result = outcome.json
    assert (result["name"], result["verdict"]) == ("stripes", "FAIL")
    assert [row["check"] for row in result["checks"]] == NAMES
    assert {row["check"] for row in result["checks"] if row["verdict"] == "FAIL"} == {"shuffled labels"}
    assert set(result["checks"][0]) == {"check", "verdict", "measured", "expected", "fix", "seconds"}


def test_it_needs_data(cli: Cli, folder: Path) -> None:
    (folder / "bare.yaml").write_text("model: {input: [3], layers: [{type: linear, out_features: 2}]}\n")
    outcome = cli("sanity", "--config", "bare.yaml")
    assert outcome.code == 2
    assert outcome.err == "error: this needs data, and the configuration has none; add data: {source: ...}\n"


def test_nothing_is_left_behind_and_a_session_keeps_its_weights(pictures: Path) -> None:
    before = sorted(pictures.rglob("*"))
    session = cnncli.load("stripes.yaml", workers=1)
    session.model.flat[...] = 0  # weights that would fail
    assert cnncli.sanity(session).verdict == "PASS"
    assert not session.model.flat.any()
    assert sorted(pictures.rglob("*")) == before


def test_labels_of_other_inputs(pictures: Path) -> None:
    x, y = stripes(SAMPLES, np.random.default_rng(0))
    write(pictures, x, np.random.default_rng(1).permutation(y))
    found = failed()
    assert set(found) == {"shuffled labels"}
    assert "the labels do not belong to these inputs" in found["shuffled labels"].fix


def test_a_dead_layer(pictures: Path) -> None:
    (pictures / "stripes.yaml").write_text(
        NETWORK.replace("bias: false}", "bias: true, init: {weight: zeros}}").replace(
            "    - {type: batch_norm, name: norm}\n", ""
        )
    )
    found = failed()
    assert {"input reaches outputs", "loss reaches weights", "learns one batch", "shuffled labels"} <= set(found)
    assert "conv.weight" in found["loss reaches weights"].fix
    assert found["input reaches outputs"].measured == "0 of 2 outputs"


@pytest.mark.usefixtures("pictures")
def test_inputs_that_are_not_normalised() -> None:
    found = failed("data.normalize={mean: [0], std: [0.00392157]}")
    assert found["inputs"].fix == "set data.normalize: auto"


def test_inputs_that_are_all_alike(pictures: Path) -> None:
    x, y = stripes(SAMPLES, np.random.default_rng(0))
    write(pictures, np.full_like(x, 7), y)
    found = failed()
    assert found["inputs"].fix == "all numbers are the same: is this the right data?"
    assert {"learns one batch", "shuffled labels"} <= set(found)


def test_too_few_outputs(pictures: Path) -> None:
    x, y = stripes(SAMPLES, np.random.default_rng(0))
    write(pictures, x, y + 1)
    result = cnncli.sanity("stripes.yaml", set=["data.classes=null"], workers=1)
    found = rows(result)
    assert result.verdict == "FAIL"
    assert found["targets"].verdict == "FAIL"
    assert "the target of sample" in found["targets"].measured
    assert found["inputs"].verdict == found["samples stay apart"].verdict == "PASS"
    skipped = {name for name, row in found.items() if row.verdict == "SKIP"}
    assert skipped == set(NAMES) - {"inputs", "targets", "samples stay apart"}


@pytest.mark.usefixtures("pictures")
def test_too_many_outputs() -> None:
    found = failed("model.layers.6.out_features=5", "data.classes=null")
    assert found["targets"].measured.startswith("2 of 5 classes, 0 to ")
    assert "no training sample is of class 2, 3, 4" in found["targets"].fix


@pytest.mark.usefixtures("pictures")
def test_initial_weights_that_are_too_large() -> None:
    found = failed("model.layers.6.init={weight: {type: normal, std: 30}}")
    assert "smaller initial weights" in found["initial loss"].fix


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(("lr", "why"), [("0", "find-lr"), ("1e30", "lower learning rate")])
def test_a_learning_rate_that_teaches_nothing(lr: str, why: str) -> None:
    found = failed(f"optimizer={{type: sgd, lr: {lr}}}", "train.clip_norm=null", "train.ema=null")
    assert why in found["shuffled labels"].fix + found["shuffled labels"].measured


def relu_backward(change: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Any]:
    right = LAYERS["relu"].backward

    def backward(self: Any, *arguments: Any) -> Any:
        (dx,), gradients = right(self, *arguments)
        return (None if dx is None else change(dx),), gradients

    return backward


@pytest.mark.usefixtures("pictures")
def test_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LAYERS["relu"], "backward", relu_backward(lambda dx: dx * 1.01))
    found = failed()
    assert set(found) == {"gradcheck"}
    assert found["gradcheck"].fix.startswith("relu1")


@pytest.mark.usefixtures("pictures")
def test_a_layer_that_mixes_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    right = LAYERS["flatten"].forward

    def forward(self: Any, params: Any, xs: Any, run: Any) -> Any:
        y, cache = right(self, params, xs, run)
        return (y if run.training else y + y.mean(axis=-1, keepdims=True)), cache

    monkeypatch.setattr(LAYERS["flatten"], "forward", forward)
    assert "samples stay apart" in failed()


@pytest.mark.usefixtures("pictures")
def test_chance_that_no_seed_governs(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng()
    monkeypatch.setattr(LAYERS["relu"], "backward", relu_backward(lambda dx: dx * rng.uniform(0.9, 1.1)))
    assert {"same seed, same bits", "exact resume"} <= set(failed())


FORGETS: dict[str, tuple[Callable[[TrainingState], dict[str, Any]], str]] = {
    "moments": (
        lambda state: {"slots": {name: 0 * slot for name, slot in state.slots.items()}},
        "other weights, other",
    ),
    "where the epoch was": (lambda state: {"batches": state.batches - 1}, "other weights, other scores"),
    "what it had come to": (lambda state: {"totals": {**state.totals, "loss": 0.0}}, "the same weights, other scores"),
}


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("what", FORGETS)
def test_a_state_that_lacks_something(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    right, (changes, measured) = resume.load_state, FORGETS[what]

    def forgetful(path: Path, model: Any) -> Any:
        state = right(path, model)
        return replace(state, **changes(state))

    monkeypatch.setattr(resume, "load_state", forgetful)
    session = cnncli.load("stripes.yaml", workers=1)
    found = resume.resume(Lab(session))
    assert (found.verdict, found.measured.startswith(measured)) == ("FAIL", True)


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(("accumulate", "batches"), [(1, 2), (2, 4), (3, 3), (9, 0)])
def test_the_training_is_cut_off_within_an_epoch(
    monkeypatch: pytest.MonkeyPatch, accumulate: int, batches: int
) -> None:
    """Of five batches, as far as the updates allow."""
    right, states = resume.load_state, []

    def noted(path: Path, model: Any) -> Any:
        states.append(right(path, model))
        return states[-1]

    monkeypatch.setattr(resume, "load_state", noted)
    session = cnncli.load("stripes.yaml", set=[f"train.accumulate={accumulate}"], workers=1)
    assert resume.resume(Lab(session)).verdict == "PASS"
    ((epochs, done),) = [(state.epochs, state.batches) for state in states]
    assert (epochs, done) == (1, batches)


@pytest.mark.usefixtures("pictures")
def test_answers_that_come_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    right = shuffled.replace
    monkeypatch.setattr(
        shuffled, "replace", lambda made, **changes: made if "targets" in changes else right(made, **changes)
    )
    found = failed()
    assert set(found) == {"shuffled labels"}
    assert "does not come from these labels" in found["shuffled labels"].fix


REGRESSION = """\
name: sums
data: {source: npz, path: sums.npz, validation: 0.25}
model: {input: [6], layers: [{type: linear, out_features: 16}, relu, {type: linear, out_features: 2}]}
loss: mse
optimizer: {type: adam, lr: 0.01}
train: {epochs: 2, batch_size: 16}
"""


@pytest.fixture
def sums(folder: Path) -> Path:
    x = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    np.savez(folder / "sums.npz", x_train=x, y_train=np.stack([x.sum(axis=1), x[:, 0]], axis=1))
    (folder / "sums.yaml").write_text(REGRESSION)
    return folder


@pytest.mark.usefixtures("sums")
def test_regression() -> None:
    assert failed(config="sums.yaml") == {}


def test_targets_far_from_what_a_network_begins_with(sums: Path) -> None:
    x = np.load("sums.npz")["x_train"]
    np.savez("sums.npz", x_train=x, y_train=np.stack([100 + x.sum(axis=1), 0 * x[:, 0]], axis=1))
    found = failed(config="sums.yaml")
    assert "a mean of 0 and a deviation of 1" in found["initial loss"].fix
    assert "output 1" in found["targets"].fix


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_evenly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.choice(3, size=900, p=[0.6, 0.3, 0.1])
    found = shuffled.evenly_shuffled(targets, rng)
    counts = np.bincount(targets)
    assert (np.bincount(found) == counts).all()
    pairs = np.bincount(3 * targets + found, minlength=9).reshape(3, 3)
    assert abs(pairs - np.outer(counts, counts) / 900).max() < 5
    assert not (found[targets == 0] == shuffled.evenly_shuffled(targets, rng)[targets == 0]).all()


def test_rows_of_targets_stay_together() -> None:
    targets = np.arange(20).reshape(10, 2)
    found = shuffled.evenly_shuffled(targets, np.random.default_rng(0))
    assert (found[:, 1] == found[:, 0] + 1).all()
    assert sorted(found[:, 0]) == sorted(targets[:, 0])
    assert (found != targets).any()
