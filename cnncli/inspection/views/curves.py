"""How a training went, as charts: the metrics, and the health of every layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from cnncli.errors import UsageError
from cnncli.inspection.views.charts import Chart, Charts, Series
from cnncli.inspection.views.clock import Clock, Row, as_number

HEALTHY = 1e-3
"""About what a step should change of a weight: much less learns slowly, much more forgets (Karpathy, CS231n)."""
MOST = 12
"""Layers in one chart: about as many colours can be told apart."""
SPLITS = ("train", "val")
"""Those that metrics.csv has columns of."""
RATE = "learning rate"


def curves_view(
    rows: Sequence[Row],
    health: Sequence[Row] = (),
    name: str = "",
    notes: Sequence[str] = (),
    best: Row | None = None,
) -> Charts:
    """From the rows of metrics.csv and of health.csv (texts or numbers); `notes` are what is to be said of the files.

    They are drawn over the epochs, or over the steps as long as there is one epoch. `train_x` and `val_x` share the
    chart x; `lr` has its own, unless it is constant; the ratio of update to weight and the share of dead units have one
    each with a line a layer, of more than MOST layers the worst ones. A line bridges the rows in which its split was
    not measured, and has a gap (nan) where it was, and the number is none. `best` is the row whose weights are kept as
    the best ones: it is marked. Raises UsageError if there is nothing to draw.
    """
    if not rows:
        raise UsageError(f"{name or 'metrics'}: no epoch has ended yet, so there are no curves to draw")
    clock = Clock.of(rows)
    marked = ((round(clock.place(best), 2), f"best {clock.unit}"),) if best and len(rows) > 1 else ()
    charts, said = _metrics(rows, clock, marked), [*notes, *_missing(rows, health, clock)]
    if not charts:
        raise UsageError(f"{name or 'metrics'}: there is no finite number to draw")
    ratios = _layers(health, "update_ratio", clock)
    if ratios:
        kept, left_out = _worst(ratios, _from_healthy, f"farthest from {HEALTHY:g}")
        marks = ((HEALTHY, "is about healthy"),)
        charts.append(Chart("update / weight", kept, x_name=clock.unit, log_y=True, marks=marks, notes=left_out))
    dead = _layers(health, "dead", clock)
    if any(value > 0 for series in dead for value in series.y):
        kept, left_out = _worst(dead, float, "with the most")
        charts.append(Chart("share of dead units", kept, x_name=clock.unit, from_zero=True, notes=left_out))
    elif dead:
        said.append("dead units: none, in any rectifier at any epoch")
    return Charts("curves", name, tuple(charts), tuple(said))


def _missing(rows: Sequence[Row], health: Sequence[Row], clock: Clock) -> Iterator[str]:
    """Which epochs a table leaves out; health is looked at when an epoch ends."""
    epochs = _epochs(rows)
    gaps = [(before + 1, epoch - 1) for before, epoch in pairwise([0, *epochs]) if epoch > before + 1]
    if gaps:
        yield f"metrics.csv has no {_spans(gaps)}"
    if not health:
        yield "health.csv is missing or empty: there are no charts of update / weight and of dead units"
        return
    at_work = epochs[-1:] if clock.place(rows[-1]) % 1 else []
    checked = {*_epochs(health), *at_work}
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


def _epochs(rows: Sequence[Row]) -> list[int]:
    """Each once, in their order."""
    epochs = (as_number(row.get("epoch")) for row in rows)
    return list(dict.fromkeys(int(epoch) for epoch in epochs if math.isfinite(epoch)))


def _metrics(rows: Sequence[Row], clock: Clock, marked: tuple[tuple[float, str], ...]) -> list[Chart]:
    """One for each metric that has a finite number, then the learning rate if it changes; `marked` in all of them."""
    charts: dict[str, list[Series]] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        split, _, metric = key.partition("_")
        if split in SPLITS and metric:
            line = curve(rows, clock, key, split)
            if np.isfinite(line.y).any():
                charts.setdefault(metric, []).append(line)
    rate = curve(rows, clock, "lr", "lr")
    if len(set(rate.y)) > 1:
        charts[RATE] = [rate]
    return [Chart(title, tuple(lines), x_name=clock.unit, uprights=marked) for title, lines in charts.items()]


def curve(rows: Sequence[Row], clock: Clock, key: str, name: str) -> Series:
    """A column of metrics.csv, from the rows in which its split was measured at all."""
    split = key.partition("_")[0]
    columns = [key] if split not in SPLITS else [each for row in rows[:1] for each in row if each.startswith(split)]
    measured = [row for row in rows if not all(math.isnan(as_number(row.get(column))) for column in columns)]
    return Series(name, tuple(clock.place(row) for row in measured), tuple(as_number(row.get(key)) for row in measured))


def _layers(health: Sequence[Row], key: str, clock: Clock) -> list[Series]:
    """One line for each layer that has such numbers, in the order of the network."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in health:
        value = as_number(row.get(key))
        if math.isfinite(value):
            found.setdefault(str(row["node"]), []).append((clock.place(row), value))
    return [
        Series(node, tuple(place for place, _ in points), tuple(value for _, value in points))
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
