"""The runs of a folder, and runs side by side, from the command line."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from cnncli.cli.runs.picture import write_curves
from cnncli.training.run_directory import RunDirectory
from tests.cli.conftest import Cli


@pytest.fixture
def two(trained: Path, cli: Cli) -> Path:
    """The folder, with runs/first and a later runs/second of three epochs, in which there is more to see."""
    changes = ["train.epochs=3", "train.validate_every={steps: 4}", "schedule=cosine", "optimizer.lr=0.02"]
    words = [word for change in changes for word in ("--set", change)]
    assert cli("train", "--config", "stripes.yaml", "--out", "runs/second", "--quiet", *words).code == 0
    os.utime("runs/first/config.yaml", (1e9, 1e9))
    return trained


def listed(cli: Cli, *words: str) -> dict[str, dict[str, object]]:
    outcome = cli("runs", "list", "--json", *words)
    assert outcome.code == 0
    return {run["name"]: run for run in outcome.json["runs"]}


def test_the_latest_run_is_first(two: Path, cli: Cli) -> None:
    runs = listed(cli)
    assert list(runs) == ["second", "first"]
    result = json.loads((two / "runs/first/result.json").read_text())
    first = runs["first"]
    assert (first["state"], first["epoch"], first["epochs"]) == ("finished", 2, 2)
    assert first["best"]["value"] == result["best"]["accuracy"]
    assert (first["best"]["split"], first["best"]["metric"]) == ("val", "accuracy")
    assert first["best_epoch"] == result["best"]["epoch"]
    assert first["test"]["value"] == result["test"]["accuracy"]
    assert first["parameters"] == 3 * 9 + 3 + 27 * 2 + 2
    assert first["seconds"] == result["seconds"]
    assert first["started"].startswith("2001-09-")
    shown = cli("runs", "list").out.splitlines()
    assert [line.split()[0] for line in shown[2:]] == ["second", "first"]


def test_the_order_can_be_chosen(two: Path, cli: Cli) -> None:
    assert list(listed(cli, "--sort", "name")) == ["first", "second"]
    assert list(listed(cli, "--sort", "epochs")) == ["second", "first"]
    path = two / "runs/first/result.json"
    result = json.loads(path.read_text())
    result["test"]["metrics"]["accuracy"] = 2.0
    path.write_text(json.dumps(result))
    assert list(listed(cli, "--sort", "test")) == ["first", "second"]
    result["test"]["metrics"]["accuracy"] = -1.0
    path.write_text(json.dumps(result))
    assert list(listed(cli, "--sort", "test")) == ["second", "first"]


def test_how_a_training_ended(two: Path, cli: Cli) -> None:
    path = two / "runs/first/result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "stopped_early": True, "epochs": 1}))
    assert (listed(cli)["first"]["state"], listed(cli)["first"]["epoch"]) == ("stopped early", 1)
    path.write_text(json.dumps({**result, "interrupted": True, "epochs": 1, "test": None}))
    assert (listed(cli)["first"]["state"], listed(cli)["first"]["test"]) == ("stopped", None)
    path.unlink()
    (two / "runs/first/diverged").mkdir()
    assert listed(cli)["first"]["state"] == "diverged"
    with RunDirectory(two / "runs/first").locked():
        assert listed(cli)["first"]["state"] == "running"


def test_the_best_weights_tell_by_what_they_were_chosen(two: Path, cli: Cli) -> None:
    """Also where the training has not ended."""
    whole = listed(cli)
    for name in ("first", "second"):
        (two / "runs" / name / "result.json").unlink()
    for name, run in listed(cli).items():
        assert run["best"] == whole[name]["best"]
        assert (run["epoch"], run["test"]) == (whole[name]["epoch"], None)


def test_a_run_that_was_killed_in_its_first_epoch(two: Path, cli: Cli) -> None:
    for name in os.listdir("runs/first"):
        if name not in (".lock", "config.yaml"):
            (two / "runs/first" / name).unlink()
    first = listed(cli)["first"]
    assert (first["state"], first["epoch"], first["best"], first["seconds"]) == ("stopped", 0, None, None)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("config.yaml", "model: 3", "runs/first/config.yaml:1:8: 'model' must be a mapping"),
        ("config.yaml", None, "runs/first: has no config.yaml: this is no directory that 'cnncli train' made"),
        ("metrics.csv", "epoch,step\n1,x\n", "runs/first/metrics.csv:2: step is 'x'; expected a whole number"),
        ("result.json", '{"epochs": 1}', "runs/first/result.json: is damaged (best: Field required); delete it"),
        ("result.json", "\x1b", "runs/first/result.json: is damaged (Invalid JSON"),
        ("last.state.safetensors", "none", "runs/first/last.state.safetensors: is damaged"),
    ],
)
def test_a_damaged_run_is_listed_with_what_is_wrong(
    two: Path, cli: Cli, file: str, content: str | None, problem: str
) -> None:
    path = two / "runs/first" / file
    (two / "runs/first/result.json").unlink()
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)
    runs = listed(cli)
    assert runs["second"]["state"] == "finished"
    assert runs["first"]["state"] == "damaged"
    assert runs["first"]["problem"].startswith(problem)
    shown = cli("runs", "list")
    assert shown.code == 0
    assert f"damaged: {problem[:40]}" in shown.out


def test_a_result_with_numbers_that_json_lacks(trained: Path, cli: Cli) -> None:
    path = trained / "runs/first/result.json"
    result = json.loads(path.read_text())
    result["test"]["metrics"]["accuracy"] = float("nan")
    path.write_text(json.dumps(result))
    assert listed(cli)["first"]["test"]["value"] == "NaN"
    assert list(listed(cli, "--sort", "test")) == ["first"]


def test_what_lies_about_is_no_run(two: Path, cli: Cli) -> None:
    (two / "runs/notes.txt").write_text("good ones")
    (two / "runs/.cache").mkdir()
    assert set(listed(cli)) == {"first", "second"}


def test_folders(trained: Path, cli: Cli) -> None:
    shutil.move("runs", "elsewhere")
    assert cli("runs", "list").out == "no runs in runs\n"
    assert set(listed(cli, "elsewhere")) == {"first"}
    refused = cli("runs", "list", "nowhere")
    assert refused.code == 2
    assert refused.err.startswith("error: nowhere: no such folder; expected the folder that holds the runs, as runs")
    refused = cli("runs", "list", "elsewhere/first")
    assert refused.code == 2
    assert refused.err.startswith("error: elsewhere/first: is a run itself; give the folder that it is in")


def test_runs_are_compared(two: Path, cli: Cli) -> None:
    shown = cli("runs", "compare", "runs/first", "runs/second")
    assert shown.code == 0
    assert ["optimizer.lr", "0.01", "0.02"] in [line.split() for line in shown.out.splitlines()]
    assert "val accuracy" in shown.out
    view = cli("runs", "compare", "runs/first", "runs/second", "--json").json
    assert view["labels"] == ["first", "second"]
    changed = {each["key"] for each in view["differences"]}
    assert changed >= {"optimizer.lr", "schedule.type", "train.epochs", "train.validate_every.steps"}
    assert not any(key.startswith(("data", "model")) for key in changed)
    assert {"key": "optimizer.lr", "values": [0.01, 0.02]} in view["differences"]
    assert [run["epoch"] for run in view["runs"]] == [2, 3]
    assert [chart["title"] for chart in view["curves"]["charts"]] == [
        "val loss",
        "val accuracy",
        "train loss",
        "train accuracy",
        "learning rate",
    ]


def test_a_comparison_as_a_picture(two: Path, cli: Cli) -> None:
    done = cli("runs", "compare", "runs/first", "runs/second", "--out", "pictures")
    assert done.out == "wrote pictures/compare.png\n"
    with Image.open("pictures/compare.png") as picture:
        assert picture.size[0] > 900


def test_runs_of_the_same_name_are_told_apart(two: Path, cli: Cli) -> None:
    shutil.copytree("runs/second", "elsewhere/first")
    assert cli("runs", "compare", "runs/first", "elsewhere/first", "--json").json["labels"] == [
        "runs/first",
        "elsewhere/first",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "which runs? give two or more, as runs/first runs/second"),
        (["runs/first"], "which runs? give two or more, as runs/first runs/second"),
        (["runs/first", "runs/../runs/first"], "runs/first is given twice; expected different runs"),
        (["runs/first", "nowhere"], "nowhere: no such run directory"),
        (["runs/first", "stripes.yaml"], "stripes.yaml: is a file; expected a run directory"),
    ],
)
def test_what_cannot_be_compared(trained: Path, cli: Cli, words: list[str], message: str) -> None:
    refused = cli("runs", "compare", *words)
    assert refused.code == 2
    assert refused.err.startswith("error: ")
    assert message in refused.err


def test_a_training_leaves_its_curves(two: Path) -> None:
    for run in ("first", "second"):
        with Image.open(f"runs/{run}/curves.png") as picture:
            assert picture.size[0] > 900


def test_the_moment_is_marked_whose_weights_were_kept(two: Path, cli: Cli) -> None:
    best = json.loads((two / "runs/second/result.json").read_text())["best"]
    view = cli("visualize", "curves", "--run", "runs/second", "--json").json
    ((place, text),) = view["charts"][0]["uprights"]
    assert text == "best epoch"
    assert best["epoch"] - 1 < place <= best["epoch"]
    (two / "runs/second/best.safetensors").write_bytes(b"damaged")
    assert cli("visualize", "curves", "--run", "runs/second", "--json").json["charts"][0]["uprights"] == []


def test_where_there_is_nothing_to_draw_there_is_no_picture(trained: Path) -> None:
    run = trained / "runs/first"
    (run / "curves.png").unlink()
    (run / "metrics.csv").write_text("epoch,step,train_loss\n1,5,nan\n")
    write_curves(run)
    (run / "metrics.csv").unlink()
    write_curves(run)
    assert not (run / "curves.png").exists()
