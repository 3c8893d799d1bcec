"""Training, and using what was trained."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cnncli
from cnncli.__main__ import main
from cnncli.cli.live_bar import LiveBar
from cnncli.training.progress import Plan
from tests.cli.conftest import Cli


def test_train_shows_progress_and_ends_with_a_table(cli: Cli, folder: Path) -> None:
    outcome = cli("train", "--config", "stripes.yaml", "--out", "runs/first")
    assert outcome.code == 0
    assert [line.split("  ")[0] for line in outcome.err.splitlines()[1:3]] == ["epoch 1/2", "epoch 2/2"]
    assert "cnncli predict --run runs/first" in outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["best", "test", "time", "run"]
    files = {
        "config.yaml",
        "metrics.csv",
        "health.csv",
        "steps.jsonl",
        "best.safetensors",
        "last.safetensors",
        "last.state.safetensors",
        "curves.png",
        "result.json",
        ".lock",
    }
    assert {path.name for path in (folder / "runs/first").iterdir()} == files


def test_train_as_json(cli: Cli, folder: Path) -> None:
    outcome = cli("train", "--config", "stripes.yaml", "--json", "--quiet", "--set", "train.epochs=3")
    assert (outcome.code, outcome.err) == (0, "")
    result = outcome.json
    assert result["epochs"] == 3
    assert set(result["best"]) == {"epoch", "step", "split", "loss", "accuracy", "monitor", "value"}
    assert result["test"]["samples"] == 40
    assert 0 <= result["test"]["accuracy"] <= 1
    assert result["interrupted"] is False
    assert Path(result["run"]).parent == Path("runs")
    assert (folder / result["run"] / "best.safetensors").is_file()


def test_the_same_seed_gives_the_same_weights(cli: Cli, folder: Path) -> None:
    for out, seed, workers in (("a", 1, 1), ("b", 1, 2), ("c", 2, 1)):
        cli("train", "--config", "stripes.yaml", "-q", "--out", out, "--seed", seed, "--workers", workers)
    a, b, c = ((folder / out / "best.safetensors").read_bytes() for out in "abc")
    assert a == b
    assert a != c


def test_a_run_is_used_from_anywhere(cli: Cli, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (trained / "elsewhere").mkdir()
    here = cli("eval", "--run", "runs/first", "--json").json
    monkeypatch.chdir(trained / "elsewhere")
    assert cli("eval", "--run", "../runs/first", "--json").json == here
    assert set(here) >= {"split", "samples", "loss", "accuracy"}
    assert (here["split"], here["samples"]) == ("test", 40)


def test_a_finished_run_predicts_without_its_data(cli: Cli, trained: Path) -> None:
    np.save(trained / "one.npy", np.zeros((8, 8), np.float32))
    (trained / "stripes.npz").unlink()
    (result,) = cli("predict", "--run", "runs/first", "one.npy", "--json").json
    assert {each["name"] for each in result["top"]} == {"across", "down"}


def test_predict(cli: Cli, trained: Path) -> None:
    outcome = cli("predict", "--run", "runs/first", "test:0", "--input", "test:1")
    assert outcome.code == 0
    assert "test:0" in outcome.out
    assert "test:1" in outcome.out
    first, second = cli("predict", "--run", "runs/first", "test:0", "-i", "test:1", "--json").json
    assert (first["input"], second["input"]) == ("test:0", "test:1")
    assert [set(each) for each in first["top"]] == [{"class", "name", "probability"}] * 2
    assert sum(each["probability"] for each in first["top"]) == pytest.approx(1)
    (only,) = cli("predict", "--run", "runs/first", "test:0", "--top", "1", "--json").json
    assert [each["name"] for each in only["top"]] == [each["name"] for each in first["top"][:1]]


def test_predict_numbers_where_there_are_no_classes(cli: Cli, folder: Path) -> None:
    (folder / "grid.txt").write_text("1 2\n3 4\n")
    (folder / "sum.yaml").write_text(
        "loss: mse\n"
        "model: {input: [1, 2, 2], layers: [flatten, {type: linear, out_features: 1, weight: [[1, 1, 1, 1]]}]}\n"
    )
    (result,) = cli("predict", "--config", "sum.yaml", "grid.txt", "--json").json
    assert result == {"input": "grid.txt", "top": [], "output": [10.0]}
    assert "10" in cli("predict", "--config", "sum.yaml", "grid.txt").out


def test_predict_needs_an_image(cli: Cli, trained: Path) -> None:
    outcome = cli("predict", "--run", "runs/first")
    assert (outcome.code, outcome.err) == (2, "error: which images? give them as arguments or with --input\n")


def test_weights_of_another_network(cli: Cli, trained: Path) -> None:
    weights = "runs/first/best.safetensors"
    outcome = cli("eval", "--config", "stripes.yaml", "--checkpoint", weights, "--set", "model.layers.0.out_channels=4")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {weights}: the weights do not fit the network:\n  ")
    assert "conv.weight: shape (3, 1, 3, 3) in the checkpoint, (4, 1, 3, 3) in the network" in outcome.err


def test_training_goes_on_from_a_checkpoint(cli: Cli, trained: Path) -> None:
    weights = "runs/first/best.safetensors"
    fresh = cli("eval", "--config", "stripes.yaml", "--json").json
    loaded = cli("eval", "--config", "stripes.yaml", "--checkpoint", weights, "--json").json
    assert loaded == cli("eval", "--run", "runs/first", "--json").json
    assert loaded["loss"] < fresh["loss"]


def test_divergence_is_an_outcome(cli: Cli, folder: Path) -> None:
    outcome = cli("train", "--config", "stripes.yaml", "--set", "loss=mse", "--set", "optimizer={type: sgd, lr: 1e9}")
    assert (outcome.code, outcome.out) == (1, "")
    assert "error: training diverged in epoch 1" in outcome.err


@pytest.mark.parametrize("out", ["runs", "stripes.yaml"])
def test_a_place_in_use_is_refused_before_training(cli: Cli, trained: Path, out: str) -> None:
    outcome = cli("train", "--config", "stripes.yaml", "--out", out)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: --out {out}: is ")


def test_a_mistake_in_the_targets_leaves_no_run_behind(cli: Cli, folder: Path) -> None:
    np.savez(folder / "stripes.npz", x_train=np.zeros((9, 1, 8, 8), np.uint8), y_train=np.arange(9))
    outcome = cli("train", "--config", "stripes.yaml", "--set", "data.classes=null", "--out", "x")
    assert outcome.code == 2
    assert outcome.err.startswith("error: train split: ")
    assert not (folder / "x").exists()


def test_data_is_needed(cli: Cli, folder: Path) -> None:
    outcome = cli("train", "--config", "stripes.yaml", "--set", "data=null")
    assert outcome.code == 2
    assert "add data: {source: ...}" in outcome.err


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_ctrl_c_saves_the_run_and_exits_130(folder: Path) -> None:
    root = Path(cnncli.__file__).parent.parent
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "cnncli",
            "train",
            "--config",
            "stripes.yaml",
            "--set",
            "train.epochs=100000",
            "--out",
            "x",
        ],
        cwd=folder,
        env={"PYTHONPATH": str(root), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not (folder / "x/best.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted after" in err
    assert out.startswith("best ")
    assert {"best.safetensors", "last.safetensors", "last.state.safetensors"} <= {
        p.name for p in (folder / "x").iterdir()
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_there_is_a_bar_above_which_the_epochs_stand(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr("cnncli.cli.live_bar.REFRESH", 0.0)
    assert main(["train", "--config", "stripes.yaml"]) == 0
    assert capsys.readouterr().out.startswith("best  val loss ")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert re.search(r"epoch 2/2 .*batch \d/6 loss [\d.]+  accuracy [\d.]+% +[\d,]+ img/s +ETA", shown)
    assert re.search(r"[\r\n]epoch 2/2  loss ", shown)
    assert "\x1b[?25h" in terminal.getvalue()  # the cursor is shown again


def test_the_bar_of_a_training_that_goes_on_begins_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    plan = Plan(4, 10, 10, 16, {"train": 160}, "classification", ("train", "loss"), None, done=3, step=30)
    for each, shown in ((plan, (30, "4/4")), (replace(plan, done=4), (40, "4/4")), (replace(plan, done=0), (0, "1/4"))):
        with LiveBar() as live:
            live.started(each)
            (task,) = live.bar.tasks
            assert (task.completed, task.fields["epoch"], task.total) == (*shown, 40)


NOT_FINITE = "error: the outputs are not finite: the weights or the input hold NaN or infinity\n"


def test_outputs_that_are_not_finite_are_a_failure(cli: Cli, trained: Path) -> None:
    data = dict(np.load(trained / "stripes.npz"))
    data |= {key: data[key].astype(np.float32) for key in ("x_train", "x_test")}
    data["x_test"][3] = np.nan
    np.savez(trained / "stripes.npz", **data)
    for command in (["eval"], ["predict", "test:3"]):
        outcome = cli(*command, "--run", "runs/first")
        assert (outcome.code, outcome.err) == (1, NOT_FINITE)
        assert outcome.out
    outcome = cli("train", "--config", "stripes.yaml", "--quiet")
    assert (outcome.code, outcome.err) == (1, NOT_FINITE)
