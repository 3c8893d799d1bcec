"""How the metrics of a training went, as charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnncli.errors import UsageError


@dataclass(frozen=True)
class Series:
    """One line of a chart, a number (or nan) an epoch."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """Series over the same epochs."""

    title: str
    epochs: tuple[float, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True)
class CurvesView:
    """How the metrics went."""

    name: str
    charts: tuple[Chart, ...]


def curves_view(rows: Sequence[Mapping[str, object]], name: str = "") -> CurvesView:
    """From the rows of metrics.csv (texts or numbers): `train_x` and `val_x` share the chart x; `lr` has its own,
    unless it is constant.

    What is missing or no number is a gap (nan). Raises UsageError if there is nothing to draw.
    """
    if not rows:
        raise UsageError(f"{name or 'metrics'}: no epoch has ended yet, so there are no curves to draw")
    epochs = tuple(_as_number(row.get("epoch", place)) for place, row in enumerate(rows, start=1))
    charts: dict[str, list[Series]] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        part, _, metric = key.partition("_")
        title, label = (metric, part) if part in ("train", "val") and metric else ("learning rate", key)
        values = tuple(_as_number(row.get(key)) for row in rows)
        if (title == metric or (key == "lr" and len(set(values)) > 1)) and np.isfinite(values).any():
            charts.setdefault(title, []).append(Series(label, values))
    if not charts:
        raise UsageError(f"{name or 'metrics'}: there is no finite number to draw")
    last = sorted(charts, key=lambda title: title == "learning rate")
    return CurvesView(name, tuple(Chart(title, epochs, tuple(charts[title])) for title in last))


def _as_number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
