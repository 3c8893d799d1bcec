from __future__ import annotations

import pytest

from cnncli.inspection.views.summary import ReceptiveField, SummaryRow, SummaryView
from cnncli.render.terminal.summary import summary
from tests.render.makers import lines

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
    assert lines(summary(SUMMARY), width=100) == [
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
    assert lines(summary(SUMMARY), width=width)[0] == head
