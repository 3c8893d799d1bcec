"""`cnncli eval`: what it prints, what scripts get, and that both are what NumPy says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Cli, stripes

CLASSES = ["eval", "--config", "stripes.yaml"]


def test_text_of_a_run(cli: Cli, trained: Path) -> None:
    outcome = cli("eval", "--run", "runs/first", "--split", "val")
    first, *_ = lines = outcome.out.splitlines()
    assert first.startswith("val   samples 24   loss ")
    assert "   accuracy " in first
    header = next(line for line in lines if line.startswith("class"))
    assert header.split() == ["class", "precision", "recall", "F1", "support", "predicted"]
    assert [line.split()[:2] for line in lines[-2:]] == [["0", "across"], ["1", "down"]]
    assert (outcome.code, outcome.err) == (0, "")


def test_a_split_that_is_not_there(cli: Cli, folder: Path) -> None:
    outcome = cli(*CLASSES, "--set", "data.validation=0", "--split", "val")
    assert outcome.code == 2
    assert outcome.err.startswith("error: the data has no split 'val'; it has train, test")


def test_json_of_a_run(cli: Cli, trained: Path) -> None:
    found = cli("eval", "--run", "runs/first", "--json").json
    confused = cli("visualize", "confusion", "--run", "runs/first", "--json").json
    assert list(found) == ["split", "samples", "loss", "accuracy", "metrics", "classes", "outputs"]
    assert list(found["metrics"]) == ["accuracy", "balanced_accuracy", "precision", "recall", "f1"]
    assert found["accuracy"] == found["metrics"]["accuracy"] == confused["accuracy"]
    for mine, other in zip(found["classes"], confused["classes"], strict=True):
        assert (mine["class"], mine["name"]) == (other["class"], other["name"])
        assert (mine["support"], mine["predicted"]) == (other["true"], other["predicted"])
        assert (mine["precision"], mine["recall"], mine["f1"]) == (other["precision"], other["recall"], other["f1"])
    assert found["metrics"]["f1"] == pytest.approx(np.mean([each["f1"] for each in found["classes"]]))


def test_what_training_measures_is_measured_here_too(cli: Cli, folder: Path) -> None:
    outcome = cli(*CLASSES, "--set", "train.metrics=[top1]", "--json")
    assert outcome.json["metrics"]["top1"] == outcome.json["accuracy"]
    outcome = cli(*CLASSES, "--set", "train.metrics=[rmse]")
    assert (outcome.code, outcome.out) == (2, "")
    assert "error: train.metrics: 'rmse' is not measured for classification; there are accuracy, " in outcome.err


@pytest.fixture
def numbers(folder: Path) -> Path:
    """stripes.npz with a number, or three labels, for each picture."""
    x, labels = stripes(60, np.random.default_rng(0))
    np.savez(folder / "numbers.npz", x_train=x, y_train=np.stack([labels, 2 - labels], axis=1).astype(np.float32))
    np.savez(folder / "labels.npz", x_train=x, y_train=np.stack([labels, 1 - labels, labels], 1).astype(np.float32))
    np.savez(folder / "second.npz", x_train=x, y_train=labels)
    return folder


def options(source: str, outputs: int, loss: str) -> list[str]:
    return [
        *("eval", "--config", "stripes.yaml", "--set", f"data={{source: npz, path: {source}.npz}}"),
        *("--set", f"model.layers.4.out_features={outputs}", "--set", f"loss={loss}"),
    ]


def test_regression_has_a_row_for_each_output(cli: Cli, numbers: Path) -> None:
    call = options("numbers", 2, "mse")
    found = cli(*call, "--json").json
    assert (found["accuracy"], found["classes"]) == (None, [])
    assert list(found["metrics"]) == ["mae", "r2", "rmse"]
    for name in ("mae", "rmse", "r2"):
        assert found["metrics"][name] == pytest.approx(np.mean([each[name] for each in found["outputs"]]))
    header, _, *rows = cli(*call).out.splitlines()[-4:]
    assert header.split() == ["output", "MAE", "RMSE", "R2"]
    assert [row.split()[0] for row in rows] == ["0", "1"]


def test_multi_label_has_a_row_for_each_label(cli: Cli, numbers: Path) -> None:
    found = cli(*options("labels", 3, "bce_with_logits"), "--json").json
    assert list(found["metrics"]) == ["accuracy", "exact_match", "precision", "recall", "f1"]
    assert [each["class"] for each in found["classes"]] == [0, 1, 2]
    assert found["classes"][0]["support"] + found["classes"][1]["support"] == found["samples"]


def test_one_output_has_both_its_classes(cli: Cli, numbers: Path) -> None:
    call = [*options("second", 1, "bce_with_logits"), "--set", "data.classes=[across, down]", "--json"]
    found = cli(*call).json
    confused = cli("visualize", "confusion", *call[1:]).json
    for mine, other in zip(found["classes"], confused["classes"], strict=True):
        assert (mine["name"], mine["support"], mine["predicted"]) == (other["name"], other["true"], other["predicted"])
        assert (mine["precision"], mine["recall"]) == (other["precision"] or 0, other["recall"] or 0)
