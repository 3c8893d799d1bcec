"""How fast a network is: every network and every loss, as tables and as JSON."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.api import bench as api
from cnncli.config import load
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES
from tests.cli.conftest import Cli

ROOT = Path(cnncli.__file__).parent.parent
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
QUICK = ("--steps", "1", "--workers", "1")
CAUTION = "Only ratios within one run on a quiet machine mean something."


def positive(speed: dict[str, Any]) -> bool:
    rates = speed["images_per_second"]
    return set(rates) == {"median", "min", "max"} and 0 < rates["min"] <= rates["median"] <= rates["max"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_network_that_comes_with_the_program(cli: Cli, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.data.source.Source.open", None)  # no data is needed
    outcome = cli("bench", "--config", path, "--batch-size", "4", "--layers", "--json", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    found, graph = outcome.json, load(path).graph
    assert positive(found["training"])
    assert positive(found["inference"])
    assert (found["name"], found["batch_size"], found["micro_batch"], found["workers"]) == (path.stem, 4, 4, 1)
    assert [row["name"] for row in found["layers"]["rows"]] == [node.name for node in graph.nodes]
    for row, node in zip(found["layers"]["rows"], graph.nodes, strict=True):
        assert row["shape"] == list(node.shape)
        assert (row["floor_seconds"] > 0) == (node.layer.type in ("conv2d", "linear"))


def test_the_document(cli: Cli, folder: Path) -> None:
    found = cli("bench", "--config", "stripes.yaml", "--json", *QUICK).json
    assert set(found) == {
        *("name", "dtype", "workers", "optimizer", "parameters", "macs", "batch_size", "micro_batch"),
        *("training", "inference", "peak_memory_bytes", "layers"),
    }
    summary = cnncli.summary("stripes.yaml")
    assert (found["parameters"], found["macs"]) == (summary.parameters, summary.macs)
    assert (found["batch_size"], found["dtype"], found["optimizer"]) == (16, "float32", "adam")
    assert found["training"]["steps"] == found["inference"]["steps"] == 1
    assert found["peak_memory_bytes"] > 10_000_000
    assert found["layers"] is None
    found = cli("bench", "--config", "stripes.yaml", "--json", "--layers", "--dtype", "float64", *QUICK).json
    assert found["dtype"] == "float64"
    assert set(found["layers"]) == {"rows", "loss", "engine", "total"}
    assert set(found["layers"]["total"]) == {
        *("name", "type", "shape", "forward_seconds", "backward_seconds"),
        *("flops", "gflops_per_second", "floor_seconds", "floor_share"),
    }


def test_the_tables(cli: Cli, folder: Path) -> None:
    outcome = cli("bench", "--config", "stripes.yaml", "--layers", *QUICK)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].split()[:3] == ["stripes", "parameters", "86"]
    names = [line.split()[0] for line in lines if line.strip()]
    start = names.index("layer")
    assert names[start + 2 : start + 10] == [
        "conv",
        "relu1",
        "max_pool2d1",
        "flatten1",
        "classes",
        "loss",
        "engine",
        "total",
    ]
    assert lines[-1] == CAUTION


def test_several_batch_sizes_from_the_smallest_on(cli: Cli, folder: Path) -> None:
    sizes = ("--batch-size", "8", "--batch-size", "2", "--batch-size", "8")
    found = cli("bench", "--config", "stripes.yaml", *sizes, "--json", *QUICK).json
    assert [each["batch_size"] for each in found] == [2, 8]


def test_helpers_share_the_work(cli: Cli, folder: Path) -> None:
    arguments = ("bench", "--config", "stripes.yaml", "--batch-size", "256", "--steps", "1", "--json")
    alone, two = (cli(*arguments, "--workers", workers).json for workers in (1, 2))
    assert (alone["workers"], two["workers"]) == (1, 2)
    assert alone["micro_batch"] == two["micro_batch"] < 256


def test_a_trained_run_and_a_setting(cli: Cli, trained: Path) -> None:
    found = cli("bench", "--run", "runs/first", "--set", "train.batch_size=5", "--json", *QUICK).json
    assert (found["name"], found["batch_size"]) == ("stripes", 5)


VECTOR = {"input": [7], "layers": [{"type": "linear", "out_features": 3}]}
IMAGE = {"input": [2, 5, 4], "layers": [{"type": "conv2d", "out_channels": 3, "kernel_size": 3}]}
NUMBER = {"input": [7], "layers": [{"type": "linear", "out_features": 1}]}
GREY = {"input": [1, 3, 3], "layers": [{"type": "conv2d", "out_channels": 1, "kernel_size": 3}]}
SOFTMAX = {"input": [7], "layers": [{"type": "linear", "out_features": 3}, "softmax"]}
SIGMOID = {"input": [7], "layers": [{"type": "linear", "out_features": 3}, "sigmoid"]}


@pytest.mark.parametrize(
    ("loss", "model"),
    [
        *((loss, model) for loss in LOSSES for model in (VECTOR, IMAGE, SOFTMAX, SIGMOID)),
        *((loss, model) for loss in LOSSES if loss != "cross_entropy" for model in (NUMBER, GREY)),
    ],
)
def test_every_loss_and_any_shape(loss: str, model: dict[str, Any]) -> None:
    found = cnncli.bench({"model": model, "loss": loss}, batch_size=3, steps=1, layers=True, workers=1)
    assert found.layers is not None
    assert found.layers.loss.type == loss
    assert found.layers.rows[0].seconds > 0


def test_the_session_stays_as_it_is(folder: Path) -> None:
    text = (folder / "stripes.yaml").read_text().replace("- relu", "- batch_norm")
    session = cnncli.load(text)
    before = {key: array.copy() for key, array in session.model.state_dict().items()}
    told: list[str] = []
    cnncli.bench(session, batch_size=4, steps=1, layers=True, progress=told.append)
    assert told == ["training", "inference", "layers"]
    for key, array in session.model.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


# What cannot be


@pytest.mark.parametrize("option", ["--batch-size", "--steps", "--workers"])
def test_nothing_is_no_amount(cli: Cli, folder: Path, option: str) -> None:
    outcome = cli("bench", "--config", "stripes.yaml", option, "0")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: Invalid value for '{option}'")


def test_without_a_network(cli: Cli) -> None:
    outcome = cli("bench")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: which network? give --config FILE")


def test_a_batch_that_has_no_variance(cli: Cli, folder: Path) -> None:
    (folder / "norm.yaml").write_text("model: {input: [3], layers: [batch_norm]}\nloss: mse\n")
    outcome = cli("bench", "--config", "norm.yaml", "--batch-size", "1", *QUICK)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: batch_norm in training needs more than one number a channel")


def test_ctrl_c(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LAYERS["relu"], "forward", interrupt)
    outcome = cli("bench", "--config", "stripes.yaml", *QUICK)
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "")


def test_the_real_command(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnncli", "bench", "--config", "stripes.yaml", "--layers", *QUICK],
        env={"PYTHONPATH": str(ROOT), "PATH": "", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.endswith(CAUTION + "\n")


def test_a_training_step_has_the_update_of_its_own_optimizer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = cnncli.load("stripes.yaml")
    kind = type(session.experiment.optimizer)
    steps: list[int] = []
    monkeypatch.setattr(kind, "update", lambda self, flat, gradient, slots, step, lr: steps.append(step))
    api.bench(session, steps=2)
    assert steps == [1, 2, 3, 4, 5]
