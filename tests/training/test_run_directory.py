"""What a training leaves, and what can be wrong with it."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from cnncli.errors import CheckpointError, OutputError, UsageError
from cnncli.training.run_directory import RunDirectory

ROWS = [
    {"epoch": 1, "step": 10, "lr": 1e-3, "train_loss": 1 / 3, "val_loss": 0.5},
    {"epoch": 2, "step": 20, "lr": 1e-3, "train_loss": 1e-17, "val_loss": 0.25},
]
STEPS = [{"epoch": 1, "step": step, "loss": 1 / step, "lr": 1e-3, "seconds": 0.01} for step in (1, 2, 3)]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    made = RunDirectory.create("name", "name: x\n", tmp_path / "run")
    made.establish()
    return made


def test_names_have_the_time_and_never_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [RunDirectory.create("lenet5", "name: lenet5\n") for _ in range(3)]
    assert len({run.path for run in runs}) == 3
    for run in runs:
        run.establish()
        assert re.fullmatch(r"runs/lenet5-\d{8}-\d{6}(-\d)?", run.path.as_posix())
        assert run.config.read_text() == "name: lenet5\n"


@pytest.mark.parametrize("exists", [True, False])
def test_a_given_directory_may_be_new_or_empty(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "a" / "b"
    if exists:
        path.mkdir(parents=True)
    run = RunDirectory.create("name", "name: x\n", path)
    assert list(path.iterdir()) == []
    run.establish()
    assert [entry.name for entry in path.iterdir()] == ["config.yaml"]
    assert RunDirectory.open(path).path == run.path


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    for name in "dabc":
        (tmp_path / name).write_text("precious")
    with pytest.raises(UsageError, match=re.escape("is not empty (it holds a, b, c, ...); choose another directory")):
        RunDirectory.create("name", "", tmp_path)
    with pytest.raises(UsageError, match="is a file; expected a new or empty directory"):
        RunDirectory.create("name", "", tmp_path / "a")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == list("abcd")


def test_a_place_that_cannot_be_written_is_found_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be used for the results: Not a directory; choose another .*--out"):
        RunDirectory.create("name", "", tmp_path / "file" / "run")
    monkeypatch.chdir(tmp_path)
    Path("runs").write_text("")
    with pytest.raises(OutputError, match="cannot be used for the results"):
        RunDirectory.create("name", "")

    def denied(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", denied)
    with pytest.raises(OutputError, match=r"config.yaml: cannot be written: Permission denied"):
        RunDirectory.create("name", "", tmp_path / "run").establish()


def test_metrics_come_back_exactly(run: RunDirectory) -> None:
    run.write_metrics(ROWS[:1])
    run.write_metrics(ROWS)
    assert run.read_metrics() == ROWS
    assert isinstance(run.read_metrics()[0]["epoch"], int)
    assert run.metrics.read_text().splitlines()[0] == "epoch,step,lr,train_loss,val_loss"


def test_health_comes_back_with_nan_for_what_there_is_not(run: RunDirectory) -> None:
    rows = [
        {"epoch": 1, "step": 10, "node": "a,b", "std": 1 / 3, "dead": None},
        {"epoch": 1, "step": 10, "node": "relu1", "std": 1e-17, "dead": 0.25},
    ]
    run.write_health(rows)
    first, second = run.read_health()
    assert math.isnan(first.pop("dead"))
    assert first == {key: value for key, value in rows[0].items() if key != "dead"}
    assert second == rows[1]


def test_steps_are_added(run: RunDirectory) -> None:
    run.append_steps(STEPS[:2])
    run.append_steps(STEPS[2:])
    assert run.read_steps() == STEPS
    assert run.steps.read_text().splitlines()[0] == '{"epoch": 1, "step": 1, "loss": 1.0, "lr": 0.001, "seconds": 0.01}'


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_crash_leaves_the_old_tables_whole(run: RunDirectory, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write_metrics(ROWS[:1])
    run.append_steps(STEPS[:1])

    def crash(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    if moment == "write":
        monkeypatch.setattr("shutil.copyfileobj", crash)
    else:
        monkeypatch.setattr(os, moment, crash)
        with pytest.raises(OutputError, match="No space left on device"):
            run.write_metrics(ROWS)
    with pytest.raises(OutputError, match="No space left on device"):
        run.append_steps(STEPS[1:])
    assert run.read_metrics() == ROWS[:1]
    assert run.read_steps() == STEPS[:1]
    assert sorted(entry.name for entry in run.path.iterdir()) == ["config.yaml", "metrics.csv", "steps.jsonl"]


def test_what_is_missing_is_named(run: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such run directory"):
        RunDirectory.open(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="is a file; expected a run directory"):
        RunDirectory.open(run.config)
    with pytest.raises(CheckpointError, match=r"has no config\.yaml: this is no directory that 'cnncli train' made"):
        RunDirectory.open(tmp_path)
    with pytest.raises(CheckpointError, match=r"has no best\.safetensors: no epoch of this training was finished"):
        run.existing(run.best)
    run.last.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"its weights so far are --checkpoint .*last\.safetensors"):
        run.existing(run.best)
    with pytest.raises(CheckpointError, match=r"has no metrics\.csv"):
        run.read_metrics()
    with pytest.raises(CheckpointError, match=r"has no health\.csv"):
        run.read_health()
    with pytest.raises(CheckpointError, match=r"has no steps\.jsonl"):
        run.read_steps()
    assert run.existing(run.last) == run.last


def test_damaged_tables_are_named_with_their_line(run: RunDirectory) -> None:
    run.metrics.write_text("epoch,step,train_loss\n1,9,2\n1,9,2\n")
    with pytest.raises(CheckpointError, match=r"run/metrics\.csv:3: epoch 1, step 9 is there twice; expected it once"):
        run.read_metrics()
    run.health.write_text("epoch,step,node,dead\n1,9,conv1,\n1,9,conv2,0.5\n1,9,conv1,\n")
    with pytest.raises(
        CheckpointError, match=r"run/health\.csv:4: epoch 1, step 9 of conv1 is there twice; expected it once"
    ):
        run.read_health()


@pytest.mark.parametrize("content", [b'{"epoch": 1', b"\xff\xfe\0"])
def test_damaged_steps(run: RunDirectory, content: bytes) -> None:
    run.steps.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"steps\.jsonl: cannot be read as lines of JSON"):
        run.read_steps()
