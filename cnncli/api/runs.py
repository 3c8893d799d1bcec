"""The trainings that a folder holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from cnncli.api.past import row_of
from cnncli.errors import UsageError
from cnncli.inspection.options import among
from cnncli.inspection.views.runs import RunRow, RunsView, Score
from cnncli.training.run_directory import RUNS, RunDirectory

Sort = Literal["started", "name", "state", "epochs", "best", "test", "parameters", "time"]


def runs(folder: str | PathLike[str] = RUNS, *, sort: Sort = "started") -> RunsView:
    """Every run in `folder` as one row, by default the latest first; those that are damaged say what is wrong.

    By "best" and "test" the better ones come first, judged by the same number being together; by "epochs", "parameters"
    and "time" the largest. Raises UsageError if there is no such folder.
    """
    among("sort", sort, get_args(Sort))
    path = Path(folder)
    if path != RUNS and not path.is_dir():
        what = "is a file" if path.exists() else "no such folder"
        raise UsageError(f"{path}: {what}; expected the folder that holds the runs, as {RUNS}")
    if RunDirectory(path).config.is_file():
        raise UsageError(f"{path}: is a run itself; give the folder that it is in")
    try:
        found = sorted(path.iterdir()) if path.is_dir() else []
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    rows = [row_of(entry) for entry in found if RunDirectory(entry).is_one()]
    return RunsView(path, tuple(sorted(rows, key=_ORDERS[sort])))


def _score(score: Score | None) -> tuple[Any, ...]:
    if score is None or math.isnan(score.value):
        return (1, "", 0.0)
    return (0, score.metric, score.value if score.is_error else -score.value)


def _largest(value: float | None) -> float:
    return math.inf if value is None else -value


_ORDERS: dict[Sort, Callable[[RunRow], Any]] = {
    "started": lambda row: _largest(None if row.started is None else row.started.timestamp()),
    "name": lambda row: row.name,
    "state": lambda row: row.state,
    "epochs": lambda row: _largest(row.epoch),
    "best": lambda row: _score(row.best),
    "test": lambda row: _score(row.test),
    "parameters": lambda row: _largest(row.parameters),
    "time": lambda row: _largest(row.seconds),
}
