"""What differs between runs, and their curves in one chart."""

from __future__ import annotations

from typing import Any

import pytest

from cnncli.inspection.views.compare import differences, overlaid


def configuration(*layers: dict[str, Any], lr: float = 0.1, **others: Any) -> dict[str, Any]:
    return {"seed": 0, "model": {"input": [1, 4, 4], "layers": list(layers)}, "optimizer": {"lr": lr}, **others}


CONV = {"type": "conv2d", "name": "conv1", "kernel_size": 3, "init": {"weight": "he_normal", "bias": "zeros"}}


def found(*configurations: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {each.key: each.values for each in differences(configurations)}


def test_what_is_the_same_is_not_said() -> None:
    assert found(configuration(CONV), configuration(CONV)) == {}


def test_differences_are_told_by_their_keys() -> None:
    other = configuration({**CONV, "init": {**CONV["init"], "bias": "ones"}}, lr=0.2, train={"clip_norm": 1.0})
    assert found(configuration(CONV), other, configuration(CONV)) == {
        "optimizer.lr": (0.1, 0.2, 0.1),
        "train.clip_norm": (None, 1.0, None),
        "model.layers.conv1.init.bias": ("zeros", "ones", "zeros"),
    }


def test_a_layer_that_one_network_lacks_is_one_difference() -> None:
    relu = {"type": "relu", "name": "relu1", "inputs": ["conv1"]}
    assert found(configuration(CONV, relu), configuration(CONV)) == {
        "model.layers.relu1": ({"type": "relu", "inputs": ["conv1"]}, None)
    }


def test_lists_are_compared_whole() -> None:
    a, b = configuration(data={"augment": ["flip"]}), configuration(data={"augment": ["flip", {"type": "crop"}]})
    assert found(a, b) == {"data.augment": (["flip"], ["flip", {"type": "crop"}])}


def row(epoch: int, step: int, lr: float = 0.1, **scores: float) -> dict[str, Any]:
    return {"epoch": epoch, "step": step, "lr": lr, **scores}


def test_a_line_a_run_in_a_chart_for_each_metric_what_was_held_out_first() -> None:
    first = [row(1, 10, train_loss=3, val_loss=2, val_accuracy=0.5), row(2, 20, train_loss=2, val_loss=1)]
    second = [row(1, 5, train_loss=4), row(2, 10, train_loss=3)]
    charts = overlaid(["a", "b"], [first, second]).charts
    assert [chart.title for chart in charts] == ["val loss", "val accuracy", "train loss"]
    assert [(line.name, line.x, line.y) for line in charts[2].series] == [("a", (1, 2), (3, 2)), ("b", (1, 2), (4, 3))]
    assert [line.name for line in charts[0].series] == ["a"]
    assert {chart.x_name for chart in charts} == {"epoch"}


def test_where_one_run_changes_the_rate_that_of_all_is_drawn() -> None:
    changing = [row(1, 10, train_loss=3), row(2, 20, 0.05, train_loss=2)]
    constant = [row(1, 10, train_loss=3), row(2, 20, train_loss=2)]
    rate = overlaid(["a", "b"], [changing, constant]).charts[-1]
    assert (rate.title, [line.y for line in rate.series]) == ("learning rate", [(0.1, 0.05), (0.1, 0.1)])
    assert [chart.title for chart in overlaid(["a", "b"], [constant, constant]).charts] == ["train loss"]


def test_beside_a_run_in_its_first_epoch_all_lie_at_their_steps() -> None:
    begun = [row(1, 4, train_loss=3), row(1, 8, train_loss=2)]
    (chart,) = overlaid(["a", "b"], [begun, [row(1, 10, train_loss=3), row(2, 20, train_loss=2)]]).charts
    assert chart.x_name == "step"
    assert [line.x for line in chart.series] == [(4, 8), (10, 20)]


@pytest.mark.parametrize("tables", [[[], []], [[row(1, 10, train_loss=float("nan"))], []]])
def test_nothing_to_draw(tables: list[list[dict[str, Any]]]) -> None:
    assert overlaid(["a", "b"], tables).charts == ()
