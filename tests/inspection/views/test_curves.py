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


@pytest.mark.parametrize(
    ("columns", "best"),
    [
        ({"val_loss": (3, 1, 1), "val_accuracy": (0.5, 0.5, 0.75)}, 3),
        ({"val_loss": (3, 2, 1), "val_accuracy": (0.5, 0.75, 0.75)}, 3),
        ({"val_loss": (3, 1, 1), "val_accuracy": (0.5, 0.75, 0.75)}, 2),
        ({"val_loss": (3, 1, 2), "val_accuracy": (0.5, 0.5, 0.75), "val_exact_match": (0, 0, 1)}, 2),
        ({"val_loss": (3, 1, 2), "val_mae": (1, 2, 3)}, 2),
        ({"val_loss": ("nan", 2, 1)}, 3),
        ({"train_loss": (3, 1, 2)}, 2),
    ],
)
def test_the_best_epoch_is_marked_where_its_weights_were_kept(columns: dict[str, tuple], best: int) -> None:
    rows = [
        {
            "epoch": epoch,
            "train_loss": 1.0,
            "lr": 1 / epoch,
            **{name: values[epoch - 1] for name, values in columns.items()},
        }
        for epoch in (1, 2, 3)
    ]
    assert {chart.uprights for chart in curves_view(rows).charts} == {((best, "best epoch"),)}


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
