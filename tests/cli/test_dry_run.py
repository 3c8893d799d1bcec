"""Everything about a training but the training."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

import cnncli
from cnncli.cli.dry_run import show
from cnncli.errors import CheckpointError, ConfigError, DataError, DivergedError, OutputError, UsageError
from cnncli.inspection.dry_run import DryRun
from cnncli.render.terminal.dry_run import dry_run as drawn
from cnncli.training.checkpoint import save_weights
from tests.render.makers import lines


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.api.dry_run.SECONDS", 0.05)


def everything(folder: Path) -> dict[Path, tuple[int, bytes | None]]:
    """Every file and folder, when it was changed, and what it holds."""
    return {
        path: (path.stat().st_mtime_ns if path.is_file() else 0, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


def test_what_it_tells(folder: Path) -> None:
    before = everything(folder)
    found = cnncli.dry_run("stripes.yaml", out="deep/down/run", set=["train.accumulate=2"], workers=1)
    assert everything(folder) == before
    assert (found.name, found.run) == ("stripes", str(Path("deep/down/run")))
    assert found.samples == {"train": 96, "val": 24, "test": 40}
    assert (found.epochs, found.batches, found.batch_size, found.workers) == (2, 6, 16, 1)
    assert found.parameters == 3 * 9 + 3 + 27 * 2 + 2
    assert found.steps >= 3
    assert 0 < found.validation_seconds < found.epoch_seconds
    assert 2 * found.epoch_seconds < found.seconds < 3 * found.epoch_seconds
    weights = 4 * found.parameters
    assert found.checkpoint_bytes == 3 * weights + 2 * weights  # Adam has two numbers for each
    assert found.free_bytes > found.checkpoint_bytes
    assert found.peak_memory_bytes is None or found.peak_memory_bytes > 1 << 20


def test_validations_count(folder: Path) -> None:
    seldom, often = (
        cnncli.dry_run("stripes.yaml", set=[f"train.validate_every={every}"], workers=1)
        for every in ("{epochs: 1000}", "{steps: 1}")
    )
    learning = seldom.epoch_seconds - seldom.saving_seconds
    assert learning / 96 * seldom.images_per_second == pytest.approx(1, rel=0.1)
    wanted = 96 / often.images_per_second + 6 * (often.validation_seconds + often.saving_seconds)
    assert often.epoch_seconds == pytest.approx(wanted)


def test_the_default_place_is_not_made(folder: Path) -> None:
    found = cnncli.dry_run("stripes.yaml", workers=1)
    assert Path(found.run).parent == Path("runs")
    assert not (folder / "runs").exists()
    (folder / "runs").mkdir()
    cnncli.dry_run("stripes.yaml", workers=1)
    assert not list((folder / "runs").iterdir())


def test_an_empty_folder_stays(folder: Path) -> None:
    (folder / "here").mkdir()
    cnncli.dry_run("stripes.yaml", out="here", workers=1)
    assert not list((folder / "here").iterdir())


def test_a_session_before_it_goes_on(trained: Path) -> None:
    before = everything(trained)
    finished = cnncli.dry_run(resume="runs/first", workers=1)
    assert (finished.epochs, finished.run) == (0, str(Path("runs/first")))
    assert finished.notes
    longer = cnncli.dry_run(resume="runs/first", set=["train.epochs=5"], out="runs/more", workers=1)
    assert (longer.epochs, longer.run) == (3, str(Path("runs/more")))
    assert everything(trained) == before


def test_what_is_wrong_is_found_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez("seven.npz", x_train=np.zeros((9, 1, 8, 8)), y_train=np.full(9, 7))
    before = everything(folder)
    with pytest.raises(ConfigError, match="epoch"):
        cnncli.dry_run("stripes.yaml", set=["train.epoch=3"])
    with pytest.raises(DataError, match=r"nowhere\.npz: no such file"):
        cnncli.dry_run("stripes.yaml", set=["data.path=nowhere.npz"])
    with pytest.raises(DataError, match="the target of sample 0 is 7; expected a class from 0 to 1"):
        cnncli.dry_run("stripes.yaml", set=["data={source: npz, path: seven.npz}"])
    with pytest.raises(CheckpointError, match="no such file"):
        cnncli.dry_run("stripes.yaml", checkpoint="nowhere.safetensors")
    with pytest.raises(CheckpointError, match="no such run directory"):
        cnncli.dry_run(resume="nowhere")
    with pytest.raises(UsageError, match=r"--out \.: is not empty"):
        cnncli.dry_run("stripes.yaml", out=".")
    with pytest.raises(DivergedError):
        cnncli.dry_run("stripes.yaml", set=["model.layers.4.init={weight: {type: constant, value: 3e38}}"])
    monkeypatch.setattr("cnncli.api.dry_run.shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(OutputError, match=r"to write a checkpoint takes [\d,]+ bytes, and 10 are free"):
        cnncli.dry_run("stripes.yaml")
    assert everything(folder) == before


def test_a_place_that_cannot_be_written_to(folder: Path) -> None:
    before = everything(folder)
    with pytest.raises(OutputError, match=r"stripes\.yaml/run: cannot be used for the results"):
        cnncli.dry_run("stripes.yaml", out="stripes.yaml/run")
    assert everything(folder) == before


def test_nothing_is_left_of_a_probe_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = os.replace

    def full(beside: Path, path: Path) -> None:
        if Path(path).name == "last.state.safetensors":
            raise OSError(errno.ENOSPC, "no space left on device")
        right(beside, path)

    monkeypatch.setattr("cnncli.files.os.replace", full)
    before = everything(folder)
    for out in ("deep/run", None):
        with pytest.raises(OutputError, match="no space left"):
            cnncli.dry_run("stripes.yaml", out=out)
        assert everything(folder) == before


def test_there_must_be_room_for_a_file_beside_those_that_it_replaces(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = cnncli.dry_run("stripes.yaml", workers=1).checkpoint_bytes
    needed = size + size * 3 // 5  # the largest is the state: the weights, and two numbers for each of Adam's
    monkeypatch.setattr("cnncli.api.dry_run.shutil.disk_usage", lambda path: type("Usage", (), {"free": free}))
    free = needed - 1
    with pytest.raises(OutputError, match=f"to write a checkpoint takes {needed:,} bytes, and {free:,} are free"):
        cnncli.dry_run("stripes.yaml", workers=1)
    free = needed
    assert cnncli.dry_run("stripes.yaml", workers=1).free_bytes == needed


def test_weights_of_another_network(folder: Path) -> None:
    other = cnncli.load("stripes.yaml", set=["model.layers.0.out_channels=4"])
    save_weights(folder / "other.safetensors", other.model)
    with pytest.raises(CheckpointError, match=r"conv\.weight"):
        cnncli.dry_run("stripes.yaml", checkpoint="other.safetensors")


RESULT = DryRun(
    name="lenet5",
    run="runs/lenet5-20250101-120000",
    samples={"train": 54_000, "val": 6_000, "test": 10_000},
    parameters=61_706,
    epochs=10,
    batches=844,
    batch_size=64,
    workers=2,
    steps=100,
    images_per_second=18_000.0,
    epoch_seconds=3.2,
    validation_seconds=0.2,
    saving_seconds=0.01,
    seconds=334.0,
    peak_memory_bytes=123_456_789,
    checkpoint_bytes=1_234_567,
    free_bytes=50_000_000_000,
    notes=("starting from old.safetensors: 8 of 10 tensors",),
)


@pytest.mark.parametrize("width", [80, 100])
def test_the_table(width: int) -> None:
    text = "\n".join(lines(drawn(RESULT), width=width))
    assert "54,000 train, 6,000 val, 10,000 test; 844 batches of 64 an epoch" in text
    assert "3.2 s an epoch, 5 min 34 s for 10" in text
    assert "123 MB at its peak" in text
    assert "starting from old.safetensors" in text
    assert max(map(len, text.splitlines())) <= width


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    show(RESULT, json=True)
    assert '"peak_memory_bytes": 123456789' in capsys.readouterr().out


def test_a_tiny_data_set(folder: Path) -> None:
    """An epoch of it has fewer updates than are timed."""
    rng = np.random.default_rng(0)
    np.savez(folder / "stripes.npz", x_train=rng.random((6, 1, 8, 8)), y_train=rng.integers(2, size=6))
    found = cnncli.dry_run("stripes.yaml", set=["data.validation=0"], workers=1)
    assert found.batches == 1
    assert found.steps >= 3
