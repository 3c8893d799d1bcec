"""The directory that a training leaves: configuration, metrics and weights.

Every file in it is written beside, synced and renamed: after a crash at any moment each is whole, old or new.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from cnncli.errors import CheckpointError, OutputError, UsageError
from cnncli.files import write_atomic
from cnncli.training.frames import Frames
from cnncli.training.tables import Cell, Number, Tell, read_table, write_table

RUNS = Path("runs")


@dataclass(frozen=True)
class RunDirectory:
    """The paths of one training, and how its tables are written and read."""

    path: Path

    @classmethod
    def create(cls, name: str, config: str, out: Path | None = None) -> RunDirectory:
        """A new directory, `out` or else `runs/<name>-<time>`, with `config` as its config.yaml.

        Raises UsageError if `out` is in use, OutputError if nothing can be written there.
        """
        path = _new(name) if out is None else _claim(out)
        run = cls(path)
        write_atomic(run.config, config)
        return run

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

    @property
    def config(self) -> Path:
        """Everything resolved: what `cnncli.config.load` takes."""
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        """One row an epoch."""
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
        """The weights of the best epoch."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """The weights of the last finished epoch, or where the training was interrupted."""
        return self.path / "last.safetensors"

    @property
    def state(self) -> Path:
        """All that it takes to go on from `last`."""
        return self.path / "last.state.safetensors"

    def existing(self, file: Path) -> Path:
        """The same path. Raises CheckpointError, saying what is missing and why that may be."""
        if file.is_file():
            return file
        if file == self.config:
            fix = "this is no directory that 'cnncli train' made"
        elif file == self.best and self.last.is_file():
            fix = f"no epoch of this training was finished; its weights so far are --checkpoint {self.last}"
        else:
            fix = "no epoch of this training was finished"
        raise CheckpointError(f"{self.path}: has no {file.name}: {fix}")

    def write_metrics(self, rows: Sequence[Mapping[str, Number]]) -> None:
        """Replaces metrics.csv: one row an epoch, the same columns in each."""
        write_table(self.metrics, rows)

    def read_metrics(self, tell: Tell | None = None) -> list[dict[str, Number]]:
        """The rows of metrics.csv, as `read_table` has them. Raises CheckpointError if it is missing or damaged."""
        return read_table(self.existing(self.metrics), ["epoch"], tell)

    def write_health(self, rows: Sequence[Mapping[str, Cell]]) -> None:
        """Replaces health.csv: `Health.row` for every epoch and layer."""
        write_table(self.health, rows)

    def read_health(self, tell: Tell | None = None) -> list[dict[str, Any]]:
        """The rows of health.csv, as `read_table` has them. Raises CheckpointError if it is missing or damaged."""
        return read_table(self.existing(self.health), ["epoch", "node"], tell)

    def append_steps(self, steps: Iterable[Mapping[str, Number]]) -> None:
        """Adds lines to steps.jsonl, one JSON object each.

        The file is written anew as a whole, since an append that is cut short would leave half a line.
        """

        def write(file: BinaryIO) -> None:
            if self.steps.exists():
                with self.steps.open("rb") as sofar:
                    shutil.copyfileobj(sofar, file)
            file.writelines(json.dumps(step).encode() + b"\n" for step in steps)

        write_atomic(self.steps, write)

    def read_steps(self) -> list[dict[str, Number]]:
        """The objects of steps.jsonl. Raises CheckpointError if it is missing or damaged."""
        path = self.existing(self.steps)
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path}: cannot be read as lines of JSON: {error}") from None


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
    """A directory that is there and empty, or that is made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        found = sorted(entry.name for entry in path.iterdir())
    except FileExistsError:
        raise UsageError(f"--out {path}: is a file; expected a new or empty directory") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    if found:
        shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise UsageError(
            f"--out {path}: is not empty (it holds {shown}); choose another directory, or remove this one first"
        )
    return path


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be used for the results: {error.strerror or error}; choose another place with --out"
    )
