"""Trainings side by side: what differs in their configurations, what they came to, and their curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnncli.inspection.views.charts import Chart, Charts
from cnncli.inspection.views.clock import Clock, Row
from cnncli.inspection.views.curves import RATE, curve
from cnncli.inspection.views.runs import RunRow


@dataclass(frozen=True)
class Difference:
    """A key of the configuration, and what it is set to in each run; None where it is not set."""

    key: str  # optimizer.lr, model.layers.conv1.kernel_size
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """Several runs; what is in order of them has one place for each."""

    labels: tuple[str, ...]
    runs: tuple[RunRow, ...]
    differences: tuple[Difference, ...]
    curves: Charts


def differences(configurations: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """What is not the same in all of them, in the order of the first that has it; they are plain, as in config.yaml.

    Layers are known by their names: one that not all have is a single difference.
    """
    layers = [_layers(each) for each in configurations]
    everywhere = set.intersection(*({*each} for each in layers))
    flats = [
        {
            **_flat({key: value for key, value in each.items() if key != "model"}),
            "model.input": each["model"]["input"],
            **_flat_layers(mine, everywhere),
        }
        for each, mine in zip(configurations, layers, strict=True)
    ]
    keys = dict.fromkeys(key for flat in flats for key in flat)
    found = (Difference(key, tuple(flat.get(key) for flat in flats)) for key in keys)
    return tuple(each for each in found if any(value != each.values[0] for value in each.values))


def _layers(configuration: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {layer["name"]: layer for layer in configuration["model"]["layers"]}


def _flat_layers(layers: Mapping[str, Mapping[str, Any]], everywhere: set[str]) -> dict[str, Any]:
    """The options of those that every network has, and each of the others as a whole."""
    flat: dict[str, Any] = {}
    for name, layer in layers.items():
        options = {key: value for key, value in layer.items() if key != "name"}
        flat |= _flat(options, f"model.layers.{name}.") if name in everywhere else {f"model.layers.{name}": options}
    return flat


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} to {"a.b": 1}; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {f"{prefix}{key}": value}
    return flat


def overlaid(labels: Sequence[str], tables: Sequence[Sequence[Row]]) -> Charts:
    """The curves of several metrics.csv, a line a run: a chart for each split and metric, then the learning rate if one
    of them changes it."""
    clocks = [Clock.of(rows) for rows in tables]
    if {clock.unit for clock in clocks} != {"epoch"}:
        clocks = [replace(clock, unit="step") for clock in clocks]  # that is what all of them have
    runs = list(zip(labels, tables, clocks, strict=True))
    columns = dict.fromkeys(key for rows in tables for row in rows for key in row)
    charts = []
    for split in ("val", "train"):
        for key in columns:
            lines = [curve(rows, clock, key, label) for label, rows, clock in runs if key.startswith(f"{split}_")]
            drawn = tuple(line for line in lines if any(map(math.isfinite, line.y)))
            charts += [Chart(key.replace("_", " "), drawn, x_name=clocks[0].unit)] if drawn else []
    rates = tuple(curve(rows, clock, "lr", label) for label, rows, clock in runs)
    if any(len(set(rate.y)) > 1 for rate in rates):
        charts.append(Chart(RATE, rates, x_name=clocks[0].unit))
    return Charts("compare", "", tuple(charts))
