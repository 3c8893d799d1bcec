"""The directory that a training leaves: configuration, metrics and weights.

Every file in it is written beside, synced and renamed: after a crash at any moment each is whole, old or new. They are
of one moment too: the state file counts, and a training that goes on from it first brings the others back to it.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from cnncli.errors import CheckpointError, OutputError, UsageError
from cnncli.files import write_atomic
from cnncli.training.frames import Frames
from cnncli.training.lock import is_locked, locked
from cnncli.training.tables import Cell, Number, Tell, read_table, write_table

RUNS = Path("runs")

LOCK, BEGUN = ".lock", ".begun"
_LEFTOVER = re.compile(r"\..*\.tmp")
"""Files that were not finished."""
_EARLY = re.compile(r"best\.safetensors|last\.state\.safetensors|steps\.jsonl|health\.csv|watch|tensorboard")
"""What is written before a directory has become a run."""


@dataclass(frozen=True)
class RunDirectory:
    """The paths of one training, and how its tables are written and read."""

    path: Path
    text: str | None = None  # of config.yaml, while there is none

    @classmethod
    def create(cls, name: str, config: str, out: Path | None = None) -> RunDirectory:
        """A new directory, `out` or else `runs/<name>-<time>`, which is to get `config` as its config.yaml.

        Raises UsageError if `out` is in use, OutputError if it cannot be made.
        """
        return cls(_new(name) if out is None else _claim(out), config)

    def establish(self) -> None:
        """Makes it a run, which has its config.yaml: when there is a state that a training can go on from, for who was
        stopped before that has lost nothing. Raises OutputError."""
        if self.text is not None and not self.config.exists():
            write_atomic(self.config, self.text)
            self._begun.unlink(missing_ok=True)

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """One that a training left. Raises CheckpointError if it is none."""
        if not path.exists():
            raise CheckpointError(f"{path}: no such run directory")
        if not path.is_dir():
            raise CheckpointError(f"{path}: is a file; expected a run directory (give a weights file as --checkpoint)")
        run = cls(path)
        run.existing(run.config)
        return run

    def is_one(self) -> bool:
        """Whether there is anything here that a training leaves, be it damaged."""
        return any(file.is_file() for file in (self.config, self.metrics, self.steps, self.best, self.last, self.state))

    @property
    def config(self) -> Path:
        """Everything resolved: what `cnncli.config.load` takes."""
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        """One row an epoch, or a validation within one."""
        return self.path / "metrics.csv"

    @property
    def health(self) -> Path:
        """One row an epoch and layer."""
        return self.path / "health.csv"

    @property
    def frames(self) -> Frames:
        """What was watched while the network learnt."""
        return Frames(self.path / "watch")

    @property
    def steps(self) -> Path:
        """One JSON object a step."""
        return self.path / "steps.jsonl"

    @property
    def best(self) -> Path:
        """The weights of the best moment."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """The weights of the last time that everything was saved."""
        return self.path / "last.safetensors"

    @property
    def state(self) -> Path:
        """All that it takes to go on from `last`."""
        return self.path / "last.state.safetensors"

    @property
    def result(self) -> Path:
        """What the training came to; only where it has ended, and not by an error."""
        return self.path / "result.json"

    @property
    def diverged(self) -> Path:
        """The folder of what it takes to look at the step in which the training met NaN or infinity."""
        return self.path / "diverged"

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else trains here meanwhile. Raises UsageError if somebody does, OutputError if nothing can be written
        here."""
        return locked(self._lock)

    def is_locked(self) -> bool:
        """Whether a training is at work here."""
        return is_locked(self._lock)

    @property
    def _begun(self) -> Path:
        """Is there while what else is there may be removed by who comes next: there is no run yet."""
        return self.path / BEGUN

    @property
    def _lock(self) -> Path:
        return self.path / LOCK

    def claim(self) -> None:
        """Removes what a process left that was killed: what it had not finished writing, and where it had not begun a
        run, all. Only for who holds the lock. Raises UsageError if somebody else has begun one meanwhile."""
        if self.text is not None:
            _require_free(self.path)
        for entry in self.path.iterdir():
            if _LEFTOVER.fullmatch(entry.name) or (self.text is not None and _EARLY.fullmatch(entry.name)):
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
        if self.text is not None:
            write_atomic(self._begun, "")
        else:
            self._begun.unlink(missing_ok=True)

    def rewind(self, step: int) -> list[Mapping[str, Cell]]:
        """Takes out of the logs what came after so many updates: it will happen again. Returns the rows of health.csv.

        Raises CheckpointError if a log is damaged, OutputError.
        """
        rows: list[Mapping[str, Cell]] = []
        if self.health.exists():
            self.read_health(lambda _: None)  # so that damage is found, but for a last line that is cut
            with self.health.open(encoding="utf-8", newline="") as file:  # and here as text, so that the bytes stay
                rows = [row for row in csv.DictReader(file) if None not in row.values() and int(row["step"]) <= step]
            if rows:
                self.write_health(rows)
            else:
                self.health.unlink()
        if self.steps.exists():
            kept = [line for line in self.read_steps() if line["step"] <= step]
            write_atomic(self.steps, _json_lines(kept))
        self.frames.rewind(step)
        self.result.unlink(missing_ok=True)
        if self.diverged.is_dir():
            shutil.rmtree(self.diverged)
        return rows

    def copy_logs(self, other: RunDirectory) -> None:
        """Takes over what another training has written besides its state."""
        for mine, theirs in ((self.best, other.best), (self.steps, other.steps), (self.health, other.health)):
            if theirs.exists():
                write_atomic(mine, theirs.read_bytes())
        self.frames.copy(other.frames)

    def existing(self, file: Path) -> Path:
        """The same path. Raises CheckpointError, saying what is missing and why that may be."""
        if file.is_file():
            return file
        if file == self.config:
            fix = "this is no directory that 'cnncli train' made"
        elif file == self.state:
            fix = "restore it, or train again"
        elif file == self.best and self.last.is_file():
            fix = f"no epoch of this training was finished; its weights so far are --checkpoint {self.last}"
        else:
            fix = "no epoch of this training was finished"
        raise CheckpointError(f"{self.path}: has no {file.name}: {fix}")

    def write_metrics(self, rows: Sequence[Mapping[str, Cell]]) -> None:
        """Replaces metrics.csv: `Record.row` for every record."""
        write_table(self.metrics, rows)

    def read_metrics(self, tell: Tell | None = None) -> list[dict[str, Number]]:
        """The rows of metrics.csv, as `read_table` has them. Raises CheckpointError if it is missing or damaged."""
        return read_table(self.existing(self.metrics), ["epoch", "step"], tell)

    def write_health(self, rows: Sequence[Mapping[str, Cell]]) -> None:
        """Replaces health.csv: `Health.row` for every epoch and layer."""
        write_table(self.health, rows)

    def read_health(self, tell: Tell | None = None) -> list[dict[str, Any]]:
        """The rows of health.csv, as `read_table` has them. Raises CheckpointError if it is missing or damaged."""
        return read_table(self.existing(self.health), ["epoch", "step", "node"], tell)

    def append_steps(self, steps: Iterable[Mapping[str, Number]]) -> None:
        """Adds lines to steps.jsonl, one JSON object each.

        The file is written anew as a whole, since an append that is cut short would leave half a line.
        """

        def write(file: BinaryIO) -> None:
            if self.steps.exists():
                with self.steps.open("rb") as sofar:
                    shutil.copyfileobj(sofar, file)
            file.write(_json_lines(steps))

        write_atomic(self.steps, write)

    def read_steps(self) -> list[dict[str, Number]]:
        """The objects of steps.jsonl. Raises CheckpointError if it is missing or damaged."""
        path = self.existing(self.steps)
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path}: cannot be read as lines of JSON: {error}") from None


def _json_lines(objects: Iterable[Mapping[str, Number]]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def _new(name: str) -> Path:
    """`runs/<name>-<time>`, with a number behind it if that exists already."""
    stem = f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        path = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(path, error) from None
        break
    return path


def _claim(path: Path) -> Path:
    """A directory that is free, or that is made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        _require_free(path)
    except FileExistsError:
        raise UsageError(f"--out {path}: is a file; expected a new or empty directory") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def _require_free(path: Path) -> None:
    """Raises UsageError if the directory holds anything but what a training left that was stopped before it began."""
    found = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK and not _LEFTOVER.fullmatch(entry.name))
    if BEGUN in found and all(name == BEGUN or _EARLY.fullmatch(name) for name in found):
        return
    if found and is_locked(path / LOCK):
        raise UsageError(f"--out {path}: another process is training there; choose another directory")
    if found:
        shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise UsageError(
            f"--out {path}: is not empty (it holds {shown}); choose another directory, or remove this one first"
        )


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be used for the results: {error.strerror or error}; choose another place with --out"
    )
