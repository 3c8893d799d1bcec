from __future__ import annotations

import pytest

from cnncli.inspection.views import ClassScore, Prediction, ReceptiveField, SummaryRow, SummaryView
from cnncli.render.terminal import tables
from cnncli.render.terminal.fitted import Column, Fitted, Heading
from tests.render.makers import draw, lines

NARROW = ReceptiveField((3, 3), (1, 1), (1, 1))
UNEVEN = ReceptiveField((6, 3), (2, 1), (1, 0))
SUMMARY = SummaryView(
    (1, 28, 28),
    (
        SummaryRow("conv1", "conv2d", ("input",), (6, 28, 28), 156, 117600, NARROW),
        SummaryRow("pool1", "max_pool2d", ("conv1",), (6, 14, 28), 0, 0, UNEVEN),
        SummaryRow("fc", "linear", ("pool1",), (10,), 1234567, 1230000, None),
    ),
    1234723,
    1347600,
)


def test_summary() -> None:
    assert lines(tables.summary(SUMMARY), width=100) == [
        "layer  type        inputs  output   parameters    MACs  receptive field",
        "───────────────────────────────────────────────────────────────────────",
        "input                      1x28x28",
        "conv1  conv2d      input   6x28x28         156   118 k  3 / 1 / 1",
        "pool1  max_pool2d  conv1   6x14x28                      6x3 / 2x1 / 1x0",
        "fc     linear      pool1   10        1,234,567  1.23 M  all",
        "",
        "total                                1,234,723  1.35 M",
        "MACs: multiply-accumulate operations for one sample.",
        "Receptive field: size / stride / padding.",
    ]


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (66, "layer  type        output   parameters    MACs  receptive field"),
        (52, "layer  output   parameters    MACs  receptive field"),
        (44, "layer  output   parameters    MACs"),
        (30, "layer  output   parameters"),
    ],
)
def test_summary_drops_what_matters_least(width: int, head: str) -> None:
    assert lines(tables.summary(SUMMARY), width=width)[0] == head


def test_predictions() -> None:
    boot = Prediction("boot[1].png", (ClassScore(9, "Ankle boot", 0.875), ClassScore(7, "Sneaker", 0.125)))
    assert lines(tables.predictions([boot, Prediction("b", (ClassScore(0, "0", 1.0),))])) == [
        "boot[1].png",
        "Ankle boot  █████████████████████     87.5%",
        "Sneaker     ███                       12.5%",
        "",
        "b",
        "0  ████████████████████████  100%",
    ]
    assert "###" in draw(tables.predictions([boot]), encoding="ascii")


def test_a_heading_breaks_between_facts() -> None:
    heading = Heading("forward", [("input", "a b"), ("true", "c d")], "note")
    assert lines(heading, width=26) == ["forward   input a b", "true c d", "note", ""]
    assert lines(heading, width=40)[0] == "forward   input a b   true c d"


def test_a_table_without_headers_has_no_rule() -> None:
    assert lines(Fitted([Column("", ["a", "b"]), Column("", ["1", "2"])])) == ["a  1", "b  2"]
