"""Trainings side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from cnncli.api.past import Past
from cnncli.errors import UsageError
from cnncli.inspection.views.compare import Comparison, differences, overlaid


def compare(runs: Sequence[str | PathLike[str]]) -> Comparison:
    """What differs in the configurations of two runs or more, what each came to, and their curves in the same charts.

    Raises UsageError for fewer, or for a run that is given twice, CheckpointError and ConfigError.
    """
    paths = [Path(run) for run in runs]
    if len(paths) < 2:
        raise UsageError("which runs? give two or more, as runs/first runs/second")
    twice = [path for path, count in Counter(path.resolve() for path in paths).items() if count > 1]
    if twice:
        raise UsageError(f"{twice[0]} is given twice; expected different runs")
    pasts = [Past.read(path) for path in paths]
    rows = [past.row() for past in pasts]
    names = Counter(row.name for row in rows)
    labels = [row.name if names[row.name] == 1 else str(row.run) for row in rows]
    return Comparison(
        labels=tuple(labels),
        runs=tuple(rows),
        differences=differences([past.experiment.resolved() for past in pasts]),
        curves=overlaid(labels, [past.rows for past in pasts]),
    )
