from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cnncli.inspection.views.charts import Chart, Charts, Series
from cnncli.inspection.views.compare import Comparison, Difference
from cnncli.inspection.views.runs import RunRow, RunsView, Score
from cnncli.render.terminal.compare import compare, value_text
from cnncli.render.terminal.runs import duration_text, runs
from tests.render.makers import lines

VAL = Score("val", "accuracy", 0.8125, True, False)
TEST = Score("test", "accuracy", 0.75, True, False)
STARTED = datetime(2025, 1, 31, 12, 5)
RUN = RunRow("first", Path("runs/first"), STARTED, "finished", 3, 3, VAL, 2, TEST, 61706, 125.0)
BROKEN = RunRow("[b]", Path("runs/[b]"), None, "damaged", problem="runs/[b]: has no config.yaml: \x1b[2J")


def test_a_row_a_run_and_what_is_wrong_below() -> None:
    assert lines(runs(RunsView(Path("runs"), (RUN, BROKEN))), width=100) == [
        "run    started           state     epochs  val accuracy  test accuracy  parameters        time",
        "─" * 94,
        "first  2025-01-31 12:05  finished  3 of 3        81.25%         75.00%      61,706  2 min 05 s",
        "[b]    -                 damaged        -             -              -           -           -",
        r"damaged: runs/[b]: has no config.yaml: \x1b[2J",
    ]


def test_scores_of_several_kinds_say_what_they_are() -> None:
    loss = Score("train", "loss", 0.12345, False, True)
    header, _, first, second = lines(runs(RunsView(Path("runs"), (RUN, replace(RUN, best=loss)))), width=120)
    assert "best" in header
    assert "val accuracy 81.25%" in first
    assert "train loss 0.1235" in second


def test_in_a_narrow_terminal_there_is_less() -> None:
    assert lines(runs(RunsView(Path("runs"), (RUN,))), width=48) == [
        "run    state     val accuracy  test accuracy",
        "─" * 44,
        "first  finished        81.25%         75.00%",
    ]


def test_a_folder_without_runs() -> None:
    assert lines(runs(RunsView(Path("runs"), ()))) == ["no runs in runs"]


@pytest.mark.parametrize(("seconds", "text"), [(1.44, "1.4 s"), (12_345, "3 h 26 min"), (None, "-")])
def test_durations(seconds: float | None, text: str) -> None:
    assert duration_text(replace(RUN, seconds=seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (1e-3, "0.001"),
        ([1, "a"], "[1, a]"),
        ({"type": "crop", "padding": [4, 4]}, "{type: crop, padding: [4, 4]}"),
        ("\x1b", r"\x1b"),
    ],
)
def test_values_are_as_in_yaml(value: object, text: str) -> None:
    assert value_text(value) == text


CURVES = Charts("compare", "", (Chart("val loss", (Series("first", (1, 2), (2, 1)),)),))


def test_runs_side_by_side() -> None:
    second = replace(RUN, name="second", state="running", best_epoch=None, test=None)
    changed = (Difference("optimizer.lr", (0.001, None)),)
    shown = lines(compare(Comparison(("first", "second"), (RUN, second), changed, CURVES)), width=80)
    assert shown[:13] == [
        "configuration  first  second",
        "─" * 28,
        "optimizer.lr   0.001  -",
        "",
        "results     first                 second",
        "─" * 53,
        "state       finished              running",
        "epochs      3 of 3                3 of 3",
        "best        val accuracy 81.25%   val accuracy 81.25%",
        "in epoch    2                     -",
        "test        test accuracy 75.00%  -",
        "parameters  61,706                61,706",
        "time        2 min 05 s            2 min 05 s",
    ]
    assert any(line.startswith("val loss") for line in shown)


def test_the_same_configuration() -> None:
    shown = lines(compare(Comparison(("first", "second"), (RUN, RUN), (), Charts("compare", "", ()))), width=80)
    assert shown[0] == "the same configuration"


def test_what_is_long_is_broken_within_its_column() -> None:
    changed = (Difference("data.path", ("a" * 100, "b" * 100)),)
    shown = lines(compare(Comparison(("first", "second"), (RUN, RUN), changed, CURVES)), width=80)
    assert max(map(len, shown)) <= 80
    assert sum(line.count("a" * 20) for line in shown) >= 3
