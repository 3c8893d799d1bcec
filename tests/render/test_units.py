from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnncli.inspection.views.flow import LayerRow
from cnncli.render.terminal.fitted import Fitted
from cnncli.render.terminal.units import dead_column, dead_units, short
from tests.render.makers import lines, row


def layer(name: str, dead: tuple[int, ...] | None, *inputs: str, shape: tuple[int, ...] = (4, 2, 2)) -> LayerRow:
    return replace(row(name, "relu", np.ones(shape), inputs), dead=dead)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ([], ""),
        ([3], "3"),
        ([0, 1, 2, 5, 7, 8], "0-2, 5, 7-8"),
        (range(0, 40, 2), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 8 more"),
        (range(5000), "0-4999"),
    ],
)
def test_numbers_are_shortened(units: range, text: str) -> None:
    assert short(list(units)) == text


def test_dead_units_are_told_where_they_first_are() -> None:
    rows = [
        layer("conv", ()),
        layer("relu1", (1, 2), "conv"),
        layer("pool", (1, 2), "relu1"),
        layer("fc", (), "pool", shape=(5,)),
        layer("relu2", (0, 1, 2, 3, 4), "fc", shape=(5,)),
        layer("one", (3,), "fc", shape=(1200,)),
    ]
    assert [text.plain for text in dead_units(rows, 1500)] == [
        "relu1: 2 of 4 channels are dead: 1-2",
        "relu2: 5 of 5 features are dead: all",
        "one: 1 of 1,200 features is dead: 3",
        "dead: exactly 0 for all 1,500 samples",
    ]
    (column,) = dead_column(rows)
    assert [str(cell) for cell in column.cells] == ["", "2/4", "2/4", "", "5/5", "1/1200"]


def test_that_there_are_none_is_told_too() -> None:
    (text,) = dead_units([layer("relu1", ())], 20)
    assert text.plain == "no channel or feature is dead, that is, exactly 0 for all 20 samples"


def test_of_one_sample_nothing_is_said() -> None:
    rows = [layer("relu1", None)]
    assert list(dead_units(rows, 1)) == []
    assert dead_column(rows) == []


def test_the_column_fits_a_table() -> None:
    assert lines(Fitted(dead_column([layer("relu1", (0,))])))[-1] == " 1/4"
