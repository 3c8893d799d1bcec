"""A step of a training, shown once more by `forward` and `backward`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.training.checkpoint import save_weights
from tests.cli.conftest import Cli

NETWORK = """\
name: stripes
seed: 7
data: {source: npz, path: stripes.npz, classes: [across, down]}
model:
  input: [1, 8, 8]
  layers:
    - {type: conv2d, name: conv, out_channels: 4, kernel_size: 3, bias: false}
    - {type: batch_norm, name: norm}
    - relu
    - {type: dropout, name: first_drop, p: 0.4}
    - {type: max_pool2d, kernel_size: 2}
    - flatten
    - {type: dropout, name: second_drop, p: 0.5}
    - {type: linear, name: classes, out_features: 2}
optimizer: {type: adam, lr: 0.01}
train: {epochs: 1, batch_size: 40}
"""

REPLAYED = 3
"""The number of the step, of the three of which an epoch consists."""


@dataclass
class Seen:
    """What the replayed step of the training found."""

    loss: float
    gradients: dict[str, np.ndarray]
    output: np.ndarray


@pytest.fixture
def seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Trains for an epoch; leaves before.safetensors and batch.npz, as they were in the replayed step."""
    (folder / "stripes.yaml").write_text(NETWORK)
    found = []
    real = Executor.differentiate

    def differentiate(self: Executor, x: np.ndarray, objective: Any, **options: Any) -> Any:
        step = len(found) + 1
        if step == REPLAYED:
            save_weights(folder / "before.safetensors", self.model)
            np.savez(folder / "batch.npz", inputs=x, targets=objective.targets.argmax(axis=0))
        result = real(self, x, objective, **options)
        gradients = {
            f"{node}.{key}": array.copy() for node, params in result.gradients.items() for key, array in params.items()
        }
        found.append(Seen(result.value, gradients, result.output.copy()))
        return result

    monkeypatch.setattr(Executor, "differentiate", differentiate)
    cnncli.train("stripes.yaml", out="run", workers=1)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert len(found) == REPLAYED
    return found[-1]


REPLAY = ("--run", "run", "--checkpoint", "before.safetensors", "--input", "batch.npz", "--train-mode")


@pytest.mark.parametrize("workers", [1, 2])
def test_backward_shows_the_loss_and_the_gradients_of_the_step(cli: Cli, seen: Seen, workers: int) -> None:
    options = ("--step", REPLAYED, "--workers", workers, "--json", "--save", "all.npz")
    outcome = cli("backward", *REPLAY, *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert np.float32(outcome.json["objective"]) == np.float32(seen.loss)
    with np.load("all.npz") as saved:
        for name, gradient in seen.gradients.items():
            assert saved[f"parameter_gradient/{name}"].tobytes() == gradient.tobytes(), name


def test_forward_shows_the_activations_of_the_step(cli: Cli, seen: Seen) -> None:
    assert cli("forward", *REPLAY, "--step", REPLAYED, "--save", "all.npz").code == 0
    with np.load("all.npz") as saved:
        assert saved["activation/classes"].tobytes() == seen.output.tobytes()


def test_another_step_has_other_masks_and_a_seed_too(cli: Cli, seen: Seen) -> None:
    for options in (("--step", REPLAYED - 1), (), ("--step", REPLAYED, "--set", "seed=8")):
        loss = cli("backward", *REPLAY, *options, "--json").json["objective"]
        assert abs(loss - seen.loss) > 1e-6
    first = [cli("backward", *REPLAY, *step, "--json").out for step in ((), ("--step", 1))]
    assert first[0] == first[1]


def test_the_layer_where_nan_begins_is_named(cli: Cli, seen: Seen, folder: Path) -> None:
    with np.load("batch.npz") as batch:
        arrays = dict(batch)
    arrays["inputs"][5, 0, 2, 2] = np.float32(3e38)
    np.savez("batch.npz", **arrays)
    outcome = cli("backward", *REPLAY, "--step", REPLAYED)
    assert outcome.code == 1
    assert outcome.err.startswith("error: NaN or infinity in norm, and in ")


@pytest.mark.parametrize("command", ["forward", "backward"])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--step", 2), "--step picks the dropout masks of a training step; give --train-mode too"),
        (
            ("--step", 2, "--train-mode", "--samples", 4),
            "--step replays one batch, and --samples takes samples of the data; give --input instead",
        ),
    ],
)
def test_what_cannot_be_replayed(cli: Cli, folder: Path, command: str, options: tuple[object], error: str) -> None:
    outcome = cli(command, "--config", "stripes.yaml", *options)
    assert (outcome.code, outcome.err) == (2, f"error: {error}\n")


@pytest.mark.usefixtures("folder")
def test_a_step_before_the_first() -> None:
    with pytest.raises(UsageError, match=r"--step 0: expected at least 1"):
        cnncli.forward("stripes.yaml", step=0, train_mode=True)


def test_class_weights_count_as_in_the_step(cli: Cli, seen: Seen) -> None:
    plain = cli("backward", *REPLAY, "--step", REPLAYED, "--json").json["objective"]
    weighted = ("--set", "train.class_weight=[1, 5]")
    found = cli("backward", *REPLAY, "--step", REPLAYED, "--json", *weighted).json
    assert "class weights included" in found["subject"]["target"]
    with np.load("batch.npz") as batch:
        targets = batch["targets"]
    cli("forward", *REPLAY, "--step", REPLAYED, "--save", "all.npz")
    with np.load("all.npz") as saved:
        logits = saved["activation/classes"].astype(np.float64)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(targets)), targets]
    weights = np.array([1, 5])[targets]
    assert plain == pytest.approx(losses.mean(), rel=1e-6)
    assert found["objective"] == pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-6)
    without_step = cli("backward", *REPLAY, "--json", *weighted).json["subject"]["target"]
    assert "class weights" not in without_step


def test_shares_of_classes_are_targets_too(cli: Cli, seen: Seen) -> None:
    with np.load("batch.npz") as batch:
        inputs, targets = batch["inputs"], batch["targets"]
    np.savez("batch.npz", inputs=inputs, targets=np.eye(2, dtype=np.float32)[targets])
    outcome = cli("backward", *REPLAY, "--step", REPLAYED, "--json")
    assert np.float32(outcome.json["objective"]) == np.float32(seen.loss)


def test_samples_with_their_labels(cli: Cli, seen: Seen) -> None:
    outcome = cli("backward", "--run", "run", "--input", "batch.npz")
    assert (outcome.code, outcome.err) == (0, "")
    with np.load("batch.npz") as batch:
        inputs, targets = batch["inputs"], batch["targets"]
    assert cli("forward", "--run", "run", "--input", "batch.npz:inputs", "--json").json["subject"]["true"] is None
    name = ("across", "down")[targets[0]]
    assert cli("forward", "--run", "run", "--input", "batch.npz", "--json").json["subject"]["true"] == name
    np.savez("short.npz", inputs=inputs, targets=targets[:-1])
    outcome = cli("forward", "--run", "run", "--input", "short.npz")
    assert outcome.err == "error: short.npz: has 28 inputs, and targets of shape (27,); expected one for each\n"


def test_what_a_training_that_diverged_prints_is_the_step(cli: Cli, seen: Seen, folder: Path) -> None:
    """Nothing but the printed command is needed to see the layer and the tensor where it began."""
    lr = "optimizer={type: sgd, lr: 1e37}"
    diverged = cli("train", "--config", "stripes.yaml", "--out", "bad", "--set", lr, "--quiet")
    assert diverged.code == 1
    (command,) = [line.partition("cnncli ")[2] for line in diverged.err.splitlines() if "--step" in line]
    step = int(command.partition("--step ")[2])
    assert f"in step {step} " in diverged.err
    outcome = cli(*shlex.split(command))
    assert outcome.code == 1
    place = outcome.err.partition("NaN or infinity in ")[2].split(",")[0].strip()
    assert place
    assert place.removeprefix("the gradient of ") in diverged.err
