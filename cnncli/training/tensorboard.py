"""What TensorBoard shows of a training: event files of scalars, written by tensorboardX."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from time import monotonic, time
from typing import Any

from cnncli.errors import OutputError, UsageError
from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.progress import Listener, Plan, Step
from cnncli.training.result import TrainResult

SECONDS = 10.0
"""The files are brought up to date this often, besides at every record."""


@dataclass(frozen=True)
class _Library:
    """The classes of tensorboardX that are used: its plain writer, since that of its front, which writes from a thread
    of its own, loses what goes wrong there."""

    events_writer: Any
    event: Any
    session_log: Any
    summary: Any

    @classmethod
    def load(cls) -> _Library:
        """Raises UsageError where it is not installed."""
        try:
            writer, event, summary = (
                import_module(f"tensorboardX.{name}")
                for name in ("event_file_writer", "proto.event_pb2", "proto.summary_pb2")
            )
        except ImportError as error:
            raise UsageError(
                f"train.tensorboard needs tensorboardX ({error}); install it: pip install 'cnncli[tensorboard]',"
                " or leave it out: --set train.tensorboard=false"
            ) from None
        return cls(writer.EventsWriter, event.Event, event.SessionLog, summary.Summary)


def require_library() -> None:
    """To be called before anything is written. Raises UsageError where tensorboardX is not installed."""
    _Library.load()


class TensorBoard(Listener):
    """Writes `folder/events.out.tfevents.*`: a file each time that the training is begun or gone on with.

    For every step `step/loss`, `step/lr` and `step/gradient_norm`; for every record `loss/train`, `loss/val` and so on
    for the metrics, and for every layer `update_ratio/conv1` and what else there is of its health.

    To be closed. Making one raises UsageError where tensorboardX is not installed; all methods raise OutputError.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._library = _Library.load()
        self._file: Any = None
        self._flushed = 0.0

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def started(self, plan: Plan) -> None:
        """Begins a file. TensorBoard leaves out what older ones hold of the steps that are made once more."""
        # The library names a file by the second, and would write over one of the same second.
        suffix = f".{plan.step}.{secrets.token_hex(4)}"
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._library.events_writer(os.fspath(self.folder / "events"), suffix)
        start = self._library.session_log(status=self._library.session_log.START)
        self._write(plan.step + 1, session_log=start)
        self._flush()

    def step(self, step: Step) -> None:
        """Its numbers."""
        self._scalars(step.step, {"step/loss": step.loss, "step/lr": step.lr, "step/gradient_norm": step.gradient_norm})
        if monotonic() - self._flushed > SECONDS:
            self._flush()

    def recorded(self, record: Record, *, best: bool, health: Sequence[Health] = ()) -> None:
        """The metrics, and the health of the layers."""
        numbers = {f"{name}/train": value for name, value in record.train.numbers.items()}
        if record.val is not None:
            numbers |= {f"{name}/val": value for name, value in record.val.numbers.items()}
        for layer in health:
            known = {field.name: getattr(layer, field.name) for field in fields(layer) if field.name != "node"}
            numbers |= {f"{name}/{layer.node}": value for name, value in known.items() if value is not None}
        self._scalars(record.step, numbers)
        self._flush()

    def ended(self, result: TrainResult) -> None:
        """Nothing more will come."""
        self.close()

    def close(self) -> None:
        """Writes what is left."""
        if self._file is not None:
            file, self._file = self._file, None
            with self._writing():
                file.close()

    def _scalars(self, step: int, numbers: Mapping[str, float]) -> None:
        value = self._library.summary.Value
        values = [value(tag=tag, simple_value=number) for tag, number in numbers.items()]
        self._write(step, summary=self._library.summary(value=values))

    def _write(self, step: int, **content: Any) -> None:
        with self._writing():
            self._file.write_event(self._library.event(wall_time=time(), step=step, **content))

    def _flush(self) -> None:
        with self._writing():
            self._file.flush()
        self._flushed = monotonic()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be written: {error.strerror or error}; free some space, or go on without:"
                " --set train.tensorboard=false"
            ) from None
