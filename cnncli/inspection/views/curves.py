"""How a training went, as charts: the metrics, and the health of every layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from cnncli.errors import UsageError
from cnncli.inspection.views.charts import Chart, Charts, Series

HEALTHY = 1e-3
"""About what a step should change of a weight: much less learns slowly, much more forgets (Karpathy, CS231n)."""
MOST = 12
"""Layers in one chart: about as many colours can be told apart."""

Row = Mapping[str, object]


def curves_view(rows: Sequence[Row], health: Sequence[Row] = (), name: str = "", notes: Sequence[str] = ()) -> Charts:
    """From the rows of metrics.csv and of health.csv (texts or numbers); `notes` are what is to be said of the files.

    `train_x` and `val_x` share the chart x; `lr` has its own, unless it is constant; the ratio of update to weight and
    the share of dead units have one each with a line a layer, of more than MOST layers the worst ones. What is missing
    or no number is a gap (nan). Raises UsageError if there is nothing to draw.
    """
    if not rows:
        raise UsageError(f"{name or 'metrics'}: no epoch has ended yet, so there are no curves to draw")
    charts, said = _metrics(rows), [*notes, *_missing(rows, health)]
    if not charts:
        raise UsageError(f"{name or 'metrics'}: there is no finite number to draw")
    ratios = _layers(health, "update_ratio")
    if ratios:
        kept, left_out = _worst(ratios, _from_healthy, f"farthest from {HEALTHY:g}")
        marks = ((HEALTHY, "is about healthy"),)
        charts.append(Chart("update / weight", kept, x_name="epoch", log_y=True, marks=marks, notes=left_out))
    dead = _layers(health, "dead")
    if any(value > 0 for series in dead for value in series.y):
        kept, left_out = _worst(dead, float, "with the most")
        charts.append(Chart("share of dead units", kept, x_name="epoch", from_zero=True, notes=left_out))
    elif dead:
        said.append("dead units: none, in any rectifier at any epoch")
    return Charts("curves", name, tuple(charts), tuple(said))


def _missing(rows: Sequence[Row], health: Sequence[Row]) -> Iterator[str]:
    """Which epochs a table leaves out."""
    epochs = [int(epoch) for epoch in _epochs(rows) if math.isfinite(epoch)]
    gaps = [(before + 1, epoch - 1) for before, epoch in pairwise([0, *epochs]) if epoch > before + 1]
    if gaps:
        yield f"metrics.csv has no {_spans(gaps)}"
    if not health:
        yield "health.csv is missing or empty: there are no charts of update / weight and of dead units"
        return
    checked = set(_epochs(health))
    unchecked = [(epoch, epoch) for epoch in epochs if epoch not in checked]
    if unchecked:
        yield f"health.csv has no {_spans(unchecked)}"


def _spans(spans: Sequence[tuple[int, int]]) -> str:
    """`epoch 3`, or `epochs 3, 5 to 8`: the first and the last of each, those that follow one another joined."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        begun = joined.pop()[0] if joined and joined[-1][1] + 1 == first else first
        joined.append((begun, last))
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in joined]
    return f"epoch{'' if texts == [str(spans[0][0])] else 's'} {', '.join(texts)}"


def _epochs(rows: Sequence[Row]) -> tuple[float, ...]:
    return tuple(_as_number(row.get("epoch", place)) for place, row in enumerate(rows, start=1))


def _metrics(rows: Sequence[Row]) -> list[Chart]:
    epochs = _epochs(rows)
    charts: dict[str, list[Series]] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        part, _, metric = key.partition("_")
        title, label = (metric, part) if part in ("train", "val") and metric else ("learning rate", key)
        values = tuple(_as_number(row.get(key)) for row in rows)
        if (title == metric or (key == "lr" and len(set(values)) > 1)) and np.isfinite(values).any():
            charts.setdefault(title, []).append(Series(label, epochs, values))
    last, best = sorted(charts, key=lambda title: title == "learning rate"), _best(rows, epochs)
    return [Chart(title, tuple(charts[title]), x_name="epoch", uprights=best) for title in last]


def _best(rows: Sequence[Row], epochs: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """The epoch whose weights are kept as the best ones, if there are several: by the accuracy of classes, and where
    that is equal or there is none, by the loss; on the training samples where there are no others."""
    split = "val" if any("val_loss" in row for row in rows) else "train"
    counts = any(f"{split}_accuracy" in row for row in rows) and not any(f"{split}_exact_match" in row for row in rows)
    scores = []
    for row, epoch in zip(rows, epochs, strict=True):
        accuracy, loss = (_as_number(row.get(f"{split}_{name}")) for name in ("accuracy", "loss"))
        score = (-accuracy if counts else 0.0, loss)
        if np.isfinite([*score, epoch]).all():
            scores.append((score, epoch))
    return ((min(scores)[1], "best epoch"),) if len(scores) > 1 else ()


def _layers(health: Sequence[Row], key: str) -> list[Series]:
    """One line for each layer that has such numbers, in the order of the network."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in health:
        value = _as_number(row.get(key))
        if math.isfinite(value):
            found.setdefault(str(row["node"]), []).append((_as_number(row["epoch"]), value))
    return [
        Series(node, tuple(epoch for epoch, _ in points), tuple(value for _, value in points))
        for node, points in found.items()
    ]


def _worst(
    series: list[Series], badness: Callable[[float], float], which: str
) -> tuple[tuple[Series, ...], tuple[str, ...]]:
    """The MOST worst ones at the end of the training, in their order, and what says so."""
    if len(series) <= MOST:
        return tuple(series), ()
    worst = sorted(series, key=lambda each: badness(each.y[-1]), reverse=True)[:MOST]
    return tuple(each for each in series if each in worst), (f"{MOST} of {len(series)} layers: those {which}",)


def _from_healthy(ratio: float) -> float:
    """How many powers of ten from what is healthy."""
    return abs(math.log10(ratio / HEALTHY)) if ratio > 0 else math.inf


def _as_number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("nan")
