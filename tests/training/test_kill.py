"""Killed, out of space, without the right to write, or twice in one directory: nothing is lost."""

from __future__ import annotations

import builtins
import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest

import cnncli
from cnncli.errors import CnncliError, OutputError, UsageError
from cnncli.training.progress import Listener
from tests.training.kill import kill_often
from tests.training.survivor import leftovers, outcome, prepare, require_whole

SHORT = ["train.epochs=2"]


class Disk:
    """Opens files as `open` does, on a disk that takes so many more writes; then each of them fails."""

    def __init__(self, left: int, number: int = errno.ENOSPC) -> None:
        self.left = left
        self.number = number
        self.failed = False

    def open(self, path: str | Path, mode: str) -> io.BufferedWriter:
        disk = self

        class File(io.FileIO):
            def write(self, content: Any) -> int:
                if disk.left == 0:
                    disk.failed = True
                    raise OSError(disk.number, os.strerror(disk.number))
                disk.left -= 1
                return super().write(content)

        return io.BufferedWriter(File(path, mode.replace("b", "")))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return prepare(tmp_path)


def train(config: Path, run: Path) -> None:
    """Trains into a directory, or goes on with what is there."""
    if (run / "config.yaml").exists():
        cnncli.train(resume=run, workers=1)
    else:
        cnncli.train(config, out=run, set=SHORT, workers=1)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(prepare(folder), folder / "run")
    return without_folder(outcome(folder / "run"), folder)


def without_folder(found: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The configuration says where the data are."""
    return {**found, "config.yaml": found["config.yaml"].replace(str(folder), "FOLDER")}


def test_killed_again_and_again(tmp_path: Path) -> None:
    toll = kill_often(tmp_path, kills=5)
    assert toll.kills == 5
    assert toll.finished


@pytest.mark.parametrize("writes", [*range(12), *range(12, 60, 5)])
def test_a_full_disk(
    writes: int, tmp_path: Path, config: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    disk = Disk(writes)
    with monkeypatch.context() as patch:
        patch.setattr("cnncli.files.open", disk.open, raising=False)
        with pytest.raises(OutputError, match="No space left on device; free some space"):
            train(config, run)
    assert disk.failed
    assert not leftovers(run)
    require_whole(run)
    if not (run / "last.state.safetensors").exists():
        return  # not even the first checkpoint: there is nothing to go on from
    train(config, run)
    assert without_folder(outcome(run), tmp_path) == expected


def test_a_directory_that_becomes_read_only(
    tmp_path: Path, config: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("cnncli.files.open", Disk(9, errno.EROFS).open, raising=False)
        with pytest.raises(OutputError, match="Read-only file system; choose a folder that you may write to"):
            train(config, run)
    train(config, run)
    assert without_folder(outcome(run), tmp_path) == expected


def test_a_directory_that_is_read_only(tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the start on, and everything in it."""
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("cnncli.files.open", Disk(9).open, raising=False)
        with pytest.raises(OutputError):
            train(config, run)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    opened = builtins.open

    def refuse(path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if set(mode) & set("wxa+"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return opened(path, mode, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(io, "open", refuse)  # what Path.open calls
        patch.setattr("cnncli.files.open", refuse, raising=False)
        with pytest.raises(OutputError, match="Read-only file system"):
            train(config, run)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_two_trainers_in_one_directory(tmp_path: Path, config: Path) -> None:
    run = tmp_path / "run"
    refused: list[CnncliError] = []

    class Second(Listener):
        def step(self, step: Any) -> None:
            if step.step == 3:
                for arguments in ({"resume": run}, {"config": config, "out": run}):
                    with pytest.raises(UsageError) as caught:
                        cnncli.train(**arguments, workers=1)
                    refused.append(caught.value)

    result = cnncli.train(config, out=run, set=SHORT, workers=1, listener=Second())
    assert result.history
    assert len(refused) == 2
    assert "another process is training there" in str(refused[0])
