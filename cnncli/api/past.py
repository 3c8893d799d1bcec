"""What a run directory tells of the training that made it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cnncli import config as configuration
from cnncli.api.curves import best_row
from cnncli.config import Experiment
from cnncli.errors import CheckpointError, CnncliError
from cnncli.graph import Model
from cnncli.inspection.views.runs import RunRow, Score, State
from cnncli.training.checkpoint import read_details
from cnncli.training.metrics import METRICS, is_share
from cnncli.training.metrics.task import LOSS
from cnncli.training.run_directory import RunDirectory
from cnncli.training.tables import Number
from cnncli.wording import printable

Rows = Sequence[Mapping[str, Number]]

LARGEST = 1 << 24
"""Bytes of a result.json that are read: a real one has some hundreds for each record."""


class _Measured(BaseModel):
    """Scores on a split, as in result.json."""

    model_config = ConfigDict(frozen=True)

    split: str
    loss: float
    metrics: dict[str, float]


class _Best(BaseModel):
    """By what the best weights were chosen, as in result.json."""

    model_config = ConfigDict(frozen=True)

    monitor: str


class _Result(BaseModel):
    """Of result.json, what is listed."""

    model_config = ConfigDict(frozen=True)

    epochs: int
    best: _Best | None
    test: _Measured | None
    interrupted: bool
    stopped_early: bool
    seconds: float


@dataclass(frozen=True)
class Past:
    """A training that was, or is, at work in a directory."""

    run: RunDirectory
    experiment: Experiment
    rows: Rows  # of metrics.csv
    result: _Result | None

    @classmethod
    def read(cls, path: Path) -> Past:
        """Raises CheckpointError and ConfigError where the directory is none, or one of its files is damaged."""
        run = RunDirectory.open(path)
        experiment = configuration.load(run.config)
        rows = run.read_metrics(lambda _: None) if run.metrics.exists() else []
        return cls(run, experiment, rows, _read_result(run.result))

    def row(self) -> RunRow:
        """All that there is to say in a line."""
        best = best_row(self.run, self.rows)
        return RunRow(
            name=_name(self.run.path),
            run=self.run.path,
            started=_started(self.run.path),
            state=self._state(),
            epoch=self._epochs(),
            epochs=self.experiment.train.epochs,
            best=None if best is None else self._best(best),
            best_epoch=None if best is None else int(best["epoch"]),
            test=self._test(),
            parameters=Model.create(self.experiment.graph).flat.size,
            seconds=self._seconds(),
        )

    def _state(self) -> State:
        if self.run.is_locked():
            return "running"
        if self.result is not None and not self.result.interrupted:
            return "stopped early" if self.result.stopped_early else "finished"
        if self.run.diverged.is_dir():
            return "diverged"
        return "finished" if self._epochs() == self.experiment.train.epochs else "stopped"

    def _epochs(self) -> int:
        """How many were finished."""
        if self.result is not None:
            return self.result.epochs
        saved = read_details(self.run.state).get("epochs") if self.run.state.exists() else 0
        return saved if isinstance(saved, int) else 0

    @property
    def monitor(self) -> str:
        """The number by which the best weights were chosen; there have to be some. Raises CheckpointError."""
        if self.result is not None and self.result.best is not None:
            return self.result.best.monitor
        return str(read_details(self.run.best).get("monitor", LOSS))

    def _best(self, row: Mapping[str, Number]) -> Score:
        name = self.monitor
        validated = not math.isnan(row.get(f"val_{name}", math.nan))
        split = "val" if validated else "train"
        return _score(split, name, row.get(f"{split}_{name}", math.nan))

    def _test(self) -> Score | None:
        test = None if self.result is None else self.result.test
        if test is None:
            return None
        return _score(test.split, self.monitor, {"loss": test.loss, **test.metrics}.get(self.monitor, math.nan))

    def _seconds(self) -> float | None:
        if self.result is not None:
            return self.result.seconds
        last = {row["epoch"]: row["seconds"] for row in self.rows if "seconds" in row}  # of each epoch so far
        return sum(last.values()) if last else None


def row_of(path: Path) -> RunRow:
    """One line of the directory, whatever is in it."""
    try:
        return Past.read(path).row()
    except (CnncliError, OSError) as error:
        problem = str(error).partition("\n")[0]
        return RunRow(_name(path), path, _started(path), "damaged", problem=problem)


def _name(path: Path) -> str:
    return path.name or path.resolve().name


def _started(path: Path) -> datetime | None:
    """When the configuration was written, which happens once, at the start; without one, when the directory changed."""
    for place in (RunDirectory(path).config, path):
        with suppress(OSError):
            return datetime.fromtimestamp(place.stat().st_mtime).replace(microsecond=0)
    return None


def _score(split: str, name: str, value: float) -> Score:
    return Score(split, name, value, is_share(name), name == "loss" or (name in METRICS and METRICS[name].is_error))


def _read_result(path: Path) -> _Result | None:
    """None where the training has not ended. Raises CheckpointError if the file is damaged."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST)
        return _Result.model_validate_json(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        what = printable(f"{place}: {first['msg']}" if place else first["msg"])
        raise CheckpointError(f"{path}: is damaged ({what}); delete it: the other files tell the rest") from None
