"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path

from cnncli.errors import CheckpointError
from cnncli.inspection.views.charts import Charts
from cnncli.inspection.views.curves import curves_view
from cnncli.training.checkpoint import read_details
from cnncli.training.run_directory import RunDirectory
from cnncli.training.tables import Number


def curves(run: str | PathLike[str]) -> Charts:
    """How the loss, the metrics and the health of the layers went; what the files lack is among the notes.

    Raises CheckpointError and UsageError.
    """
    directory = RunDirectory.open(Path(run))
    notes: list[str] = []
    metrics = directory.read_metrics(notes.append)
    has_health = directory.health.is_file() and directory.health.stat().st_size > 0
    health = directory.read_health(notes.append) if has_health else ()
    return curves_view(metrics, health, fspath(run), notes, best_row(directory, metrics))


def best_row(run: RunDirectory, rows: Sequence[Mapping[str, Number]]) -> Mapping[str, Number] | None:
    """The row of metrics.csv at which the weights were kept as the best ones; None where that cannot be told."""
    if not run.best.is_file():
        return None
    try:
        details = read_details(run.best)
    except CheckpointError:
        return None
    of_epoch = [row for row in rows if row["epoch"] == details.get("epoch")]
    return next((row for row in of_epoch if row["step"] == details.get("step")), of_epoch[-1] if of_epoch else None)
