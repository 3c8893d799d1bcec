from __future__ import annotations

import math

import pytest

from cnncli.errors import UsageError
from cnncli.inspection import views


def test_curves_pair_training_and_validation() -> None:
    rows = [
        {
            "epoch": "1",
            "step": "9",
            "lr": "0.1",
            "train_loss": "2",
            "val_loss": "",
            "train_accuracy": "0.5",
            "seconds": "3",
        },
        {"epoch": "2", "step": "18", "lr": "0.05", "train_loss": "1", "val_loss": "nan", "train_accuracy": "inf"},
    ]
    view = views.curves_view(rows, "run")
    assert [(chart.title, [series.name for series in chart.series]) for chart in view.charts] == [
        ("loss", ["train"]),
        ("accuracy", ["train"]),
        ("learning rate", ["lr"]),
    ]
    assert view.charts[0].epochs == (1, 2)
    assert view.charts[0].series[0].values == (2, 1)
    assert math.isinf(view.charts[1].series[0].values[1])


def test_a_constant_learning_rate_needs_no_curve() -> None:
    rows = [{"epoch": 1, "lr": 0.1, "train_loss": 1.0}, {"epoch": 2, "lr": 0.1, "train_loss": 0.5}]
    assert [chart.title for chart in views.curves_view(rows).charts] == ["loss"]


def test_no_epochs_no_curves() -> None:
    with pytest.raises(UsageError, match="runs/a: no epoch has ended yet"):
        views.curves_view([], "runs/a")
    with pytest.raises(UsageError, match="metrics: there is no finite number to draw"):
        views.curves_view([{"epoch": 1, "train_loss": "nan"}])
