"""The event files hold what the training told, in the form that TensorBoard reads."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnncli.errors import OutputError, UsageError
from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.metrics import Scores
from cnncli.training.progress import Plan, Step
from cnncli.training.tensorboard import TensorBoard, require_library


def plan(step: int = 0) -> Plan:
    samples = {"train": 32, "val": 8}
    return Plan(2, 4, 4, 8, samples, "classification", ("val", "accuracy"), Path("run"), step=step)


def step(number: int, loss: float = 0.5) -> Step:
    return Step(1, number, number, loss, 0.25, 2.0, 0.01, 8, Scores(loss, {}))


RECORD = Record(1, 2, 0.25, Scores(0.75, {"accuracy": 0.5}), Scores(0.625, {"accuracy": 0.25}), 1.0, 32.0, 0.0)
HEALTH = (
    Health("conv1", 2.0, 0.125, 0.0625, 1.5, None, None),
    Health("relu1", None, None, None, 0.5, 0.25, 0.75),
)


def crc32c(data: bytes) -> int:
    """Castagnoli, bit by bit, masked as in a TFRecord."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def events(path: Path) -> Iterator[Any]:
    """A TFRecord is the length, its checksum, the bytes, their checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2", reason="needs cnncli[tensorboard]")
    data, place = path.read_bytes(), 0
    while place < len(data):
        length, of_length = struct.unpack_from("<QI", data, place)
        assert crc32c(data[place : place + 8]) == of_length
        body = data[place + 12 : place + 12 + length]
        assert struct.unpack_from("<I", data, place + 12 + length) == (crc32c(body),)
        yield event_pb2.Event.FromString(body)
        place += 16 + length


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)


def scalars(path: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(path):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("tensorboardX", reason="needs cnncli[tensorboard]")
    return tmp_path / "run" / "tensorboard"


def test_everything_told_is_there(folder: Path) -> None:
    with TensorBoard(folder) as board:
        board.started(plan())
        board.step(step(1))
        board.step(step(2, loss=float("inf")))
        board.recorded(RECORD, best=True, health=HEALTH)
    (path,) = files(folder)
    assert scalars(path) == {
        "step/loss": [(1, 0.5), (2, float("inf"))],
        "step/lr": [(1, 0.25), (2, 0.25)],
        "step/gradient_norm": [(1, 2.0), (2, 2.0)],
        "loss/train": [(2, 0.75)],
        "accuracy/train": [(2, 0.5)],
        "loss/val": [(2, 0.625)],
        "accuracy/val": [(2, 0.25)],
        "weight_norm/conv1": [(2, 2.0)],
        "gradient_norm/conv1": [(2, 0.125)],
        "update_ratio/conv1": [(2, 0.0625)],
        "std/conv1": [(2, 1.5)],
        "std/relu1": [(2, 0.5)],
        "zeros/relu1": [(2, 0.25)],
        "dead/relu1": [(2, 0.75)],
    }


def test_what_was_recorded_can_be_read_while_the_training_goes_on(folder: Path) -> None:
    with TensorBoard(folder) as board:
        board.started(plan())
        board.step(step(1))
        board.recorded(RECORD, best=True)
        assert scalars(*files(folder))["loss/train"] == [(2, 0.75)]


def test_a_number_too_large_for_the_file_is_infinite_there(folder: Path) -> None:
    with TensorBoard(folder) as board:
        board.started(plan())
        board.step(step(1, loss=1e300))
    assert scalars(*files(folder))["step/loss"] == [(1, float("inf"))]


def test_going_on_begins_a_file_that_voids_the_steps_made_once_more(folder: Path) -> None:
    for done in (0, 2):
        with TensorBoard(folder) as board:
            board.started(plan(done))
            board.step(step(done + 1))
    first, second = files(folder)
    assert scalars(first)["step/loss"] == [(1, 0.5)]
    version, start, *_ = events(second)
    assert version.file_version == "brain.Event:2"
    assert start.session_log.status == start.session_log.START
    assert start.step == 3
    assert scalars(second)["step/loss"] == [(3, 0.5)]


def test_a_place_that_cannot_be_written(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file")
    with TensorBoard(folder) as board, pytest.raises(OutputError, match="tensorboard: cannot be written: File exists"):
        board.started(plan())


def test_without_the_library_the_command_to_install_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    told = r"needs tensorboardX .*; install it: pip install 'cnncli\[tensorboard\]', or"
    for use in (require_library, lambda: TensorBoard(tmp_path)):
        with pytest.raises(UsageError, match=told):
            use()
    assert list(tmp_path.iterdir()) == []
