"""How a training went."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from cnncli.inspection.views.charts import Charts
from cnncli.inspection.views.curves import curves_view
from cnncli.training.run_directory import RunDirectory


def curves(run: str | PathLike[str]) -> Charts:
    """How the loss, the metrics and the health of the layers went; what the files lack is among the notes.

    Raises CheckpointError and UsageError.
    """
    directory = RunDirectory.open(Path(run))
    notes: list[str] = []
    metrics = directory.read_metrics(notes.append)
    has_health = directory.health.is_file() and directory.health.stat().st_size > 0
    health = directory.read_health(notes.append) if has_health else ()
    return curves_view(metrics, health, fspath(run), notes)
