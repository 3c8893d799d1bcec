"""How a training went."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from cnncli.inspection.views import CurvesView, curves_view
from cnncli.training.run_directory import RunDirectory


def curves(run: str | PathLike[str]) -> CurvesView:
    """How the loss and the metrics of a training went. Raises CheckpointError and UsageError."""
    directory = RunDirectory.open(Path(run))
    return curves_view(directory.read_metrics(), fspath(run))
