from __future__ import annotations

import math

import pytest

from cnncli.errors import UsageError
from cnncli.inspection.views.curves import MOST, curves_view

ROWS = [{"epoch": 1, "lr": 0.1, "train_loss": 1.0}, {"epoch": 2, "lr": 0.1, "train_loss": 0.5}]


def health(node: str, *numbers: tuple[float, float]) -> list[dict[str, object]]:
    """One row an epoch, with update ratio and share of dead units."""
    return [
        {"epoch": epoch, "node": node, "update_ratio": ratio, "dead": dead}
        for epoch, (ratio, dead) in enumerate(numbers, start=1)
    ]


def test_curves_pair_training_and_validation() -> None:
    first = {"epoch": "1", "step": "9", "lr": "0.1", "train_loss": "2", "val_loss": "", "train_accuracy": "0.5"}
    second = {"epoch": "2", "step": "18", "lr": "0.05", "train_loss": "1", "val_loss": "nan", "train_accuracy": "inf"}
    view = curves_view([{**first, "seconds": "3"}, second], name="run")
    assert [(chart.title, [series.name for series in chart.series]) for chart in view.charts] == [
        ("loss", ["train"]),
        ("accuracy", ["train"]),
        ("learning rate", ["lr"]),
    ]
    assert view.charts[0].series[0].x == (1, 2)
    assert view.charts[0].series[0].y == (2, 1)
    assert math.isinf(view.charts[1].series[0].y[1])


def test_a_constant_learning_rate_needs_no_curve() -> None:
    assert [chart.title for chart in curves_view(ROWS).charts] == ["loss"]


def test_the_row_whose_weights_were_kept_is_marked_in_every_chart_of_the_metrics() -> None:
    rows = [{"epoch": epoch, "step": 10 * epoch, "train_loss": 1.0, "lr": 1 / epoch} for epoch in (1, 2, 3)]
    view = curves_view(rows, best=rows[1])
    assert [chart.title for chart in view.charts] == ["loss", "learning rate"]
    assert {chart.uprights for chart in view.charts} == {((2, "best epoch"),)}
    assert {chart.uprights for chart in curves_view(rows).charts} == {()}


INNER = [
    {"epoch": 1, "step": 40, "train_loss": 3.0, "val_loss": 4.0, "val_accuracy": 0.25},
    {"epoch": 1, "step": 60, "train_loss": 2.5, "val_loss": math.nan, "val_accuracy": math.nan},
    {"epoch": 2, "step": 80, "train_loss": 2.0, "val_loss": math.nan, "val_accuracy": 0.5},
    {"epoch": 2, "step": 120, "train_loss": 1.5, "val_loss": 1.0, "val_accuracy": 0.75},
    {"epoch": 3, "step": 135, "train_loss": 1.0, "val_loss": 0.5, "val_accuracy": 1.0},
]
"""A validation inside each of two epochs of 60 steps, and one of which a quarter is over."""


def test_rows_inside_an_epoch_lie_between_the_ends_of_epochs() -> None:
    loss, accuracy = curves_view(INNER, best=INNER[4]).charts
    train, val = loss.series
    assert train.x == pytest.approx((2 / 3, 1, 4 / 3, 2, 2.25))
    assert loss.uprights == ((2.25, "best epoch"),)
    assert val.x == pytest.approx((2 / 3, 4 / 3, 2, 2.25))  # bridged where nothing was measured
    assert val.y[:1] + val.y[2:] == (4.0, 1.0, 0.5)
    assert math.isnan(val.y[1])  # but what was measured, and is no number, is a gap
    assert accuracy.series[0].y == (0.25, 0.5, 0.75, 1.0)


def test_as_long_as_there_is_one_epoch_its_rows_lie_at_their_steps() -> None:
    loss = curves_view(INNER[:2], best=INNER[0]).charts[0]
    assert loss.x_name == "step"
    assert loss.series[0].x == (40, 60)
    assert loss.uprights == ((40, "best step"),)


def test_epochs_of_different_lengths() -> None:
    """As after a change of the batch size."""
    steps = {1: 100, 2: 200, 3: 225, 4: 250}
    rows = [{"epoch": epoch, "step": step, "train_loss": 1.0} for epoch, step in steps.items()]
    assert curves_view(rows).charts[0].series[0].x == (1, 2, 3, 4)


def test_health_is_drawn_where_its_epochs_end() -> None:
    rows = [{"epoch": 1, "step": 60, "node": "conv", "update_ratio": 0.5}]
    rows.append({"epoch": 2, "step": 120, "node": "conv", "update_ratio": 0.25})
    view = curves_view(INNER, rows)
    assert view.charts[-1].series[0].x == (1, 2)
    assert view.notes == ()  # the third epoch is not over


def test_a_single_epoch_is_not_marked() -> None:
    assert curves_view(ROWS[:1]).charts[0].uprights == ()


def test_a_line_for_each_layer_that_has_the_number() -> None:
    rows = [
        *health("conv1", (1e-3, math.nan), (2e-3, math.nan)),
        *health("relu1", (math.nan, 0.0), (math.nan, 0.25)),
        *health("conv2", (1e-4, math.nan), (math.nan, math.nan)),
    ]
    loss, ratio, dead = curves_view(ROWS, rows).charts
    assert loss.title == "loss"
    assert [(series.name, series.x, series.y) for series in ratio.series] == [
        ("conv1", (1, 2), (1e-3, 2e-3)),
        ("conv2", (1,), (1e-4,)),
    ]
    assert ratio.log_y
    assert ratio.marks[0][0] == 1e-3
    assert [(series.name, series.y) for series in dead.series] == [("relu1", (0.0, 0.25))]
    assert dead.from_zero


def test_where_nothing_is_dead_a_note_says_so() -> None:
    view = curves_view(ROWS, health("relu1", (math.nan, 0.0), (math.nan, 0.0)))
    assert [chart.title for chart in view.charts] == ["loss"]
    assert view.notes == ("dead units: none, in any rectifier at any epoch",)


def test_of_many_layers_the_worst_are_drawn_in_the_order_of_the_network() -> None:
    ratios = {f"conv{index}": 1e-3 for index in range(20)}
    ratios.update({f"slow{index}": 1e-6 * 10**index for index in range(3)}, fast=0.5, frozen=0.0)
    shares = {f"relu{index}": index / 100 for index in range(20)}
    rows = [row for node, ratio in ratios.items() for row in health(node, (1e-3, math.nan), (ratio, math.nan))]
    rows += [row for node, share in shares.items() for row in health(node, (math.nan, share))]
    _, ratio, dead = curves_view(ROWS, rows).charts
    names = [series.name for series in ratio.series]
    assert len(names) == MOST
    assert names[-5:] == ["slow0", "slow1", "slow2", "fast", "frozen"]
    assert ratio.notes == ("12 of 25 layers: those farthest from 0.001",)
    assert [series.name for series in dead.series] == [f"relu{index}" for index in range(8, 20)]
    assert dead.notes == ("12 of 20 layers: those with the most",)


def test_the_view_says_which_epochs_are_missing() -> None:
    rows = [{"epoch": epoch, "train_loss": 1.0} for epoch in (2, 3, 7, 9)]
    healthy = [row for row in health("relu1", *[(math.nan, 0.0)] * 8) if row["epoch"] != 3]
    assert curves_view(rows, healthy, notes=["metrics.csv: cut"]).notes == (
        "metrics.csv: cut",
        "metrics.csv has no epochs 1, 4 to 6, 8",
        "health.csv has no epochs 3, 9",
        "dead units: none, in any rectifier at any epoch",
    )
    assert curves_view(rows[1:2], healthy).notes[:2] == (
        "metrics.csv has no epochs 1 to 2",
        "health.csv has no epoch 3",
    )


def test_without_health_the_view_says_what_it_lacks() -> None:
    assert curves_view(ROWS).notes == (
        "health.csv is missing or empty: there are no charts of update / weight and of dead units",
    )


def test_no_epochs_no_curves() -> None:
    with pytest.raises(UsageError, match="runs/a: no epoch has ended yet"):
        curves_view([], name="runs/a")
    with pytest.raises(UsageError, match="metrics: there is no finite number to draw"):
        curves_view([{"epoch": 1, "train_loss": "nan"}])
