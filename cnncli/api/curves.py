"""How a training went."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from cnncli.inspection.views.charts import Charts
from cnncli.inspection.views.curves import curves_view
from cnncli.training.run_directory import RunDirectory


def curves(run: str | PathLike[str]) -> Charts:
    """How the loss, the metrics and the health of the layers went. Raises CheckpointError and UsageError."""
    directory = RunDirectory.open(Path(run))
    metrics = directory.read_metrics()
    return curves_view(metrics, directory.read_health() if directory.health.is_file() else (), fspath(run))
