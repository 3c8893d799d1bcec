from __future__ import annotations

import math

import numpy as np

from cnncli.inspection.histograms import Histogram
from cnncli.inspection.statistics import statistics
from cnncli.inspection.views.histograms import HistogramsView
from cnncli.render.png.charts import draw_charts
from cnncli.render.terminal.histograms import histograms
from tests.render.makers import draw, lines

EDGES, COUNTS = tuple(np.linspace(-1, 1, 65).tolist()), tuple([0] * 31 + [1, 8] + [64] * 2 + [0] * 29)


def histogram(node: str, values: list[float], *, counts: tuple[int, ...] = COUNTS, what: str = "weight") -> Histogram:
    edges = EDGES if len(counts) == 64 else tuple(np.linspace(0, 1, len(counts) + 1).tolist()) if counts else ()
    of = "weights" if what == "weight" else "activations"
    return Histogram(1, node, of, what, (2, 2), statistics(np.array(values)), edges, counts)


MANY = HistogramsView(
    "100 of the 1,000 samples of test",
    None,
    (
        *(histogram(f"conv{index}", [-1.0, 0.5, 1.0]) for index in range(5)),
        histogram("dead", [0.0, 0.0], counts=()),
        histogram("broken", [math.nan, 1.0, 1.0], counts=(2,)),
        histogram("few", [0.0, 1.0, 2.0], counts=(1, 0, 0, 0, 0, 0, 0, 2), what="activation"),
    ),
    ("a note",),
)


def test_many_are_a_table_with_a_line_each() -> None:
    drawn = lines(histograms(MANY, log=False), width=110)
    assert drawn[0] == "weights"
    assert drawn[1].split() == [
        "tensor",
        "shape",
        "min",
        "without",
        "zeros",
        "max",
        "mean",
        "std",
        "zeros",
        "NaN",
    ]
    assert drawn[3] == "conv0.weight   2x2     -1                 .@%                1    0.167  0.850"
    assert "all 2 are 0" in drawn[8]
    assert drawn[8].endswith("100%")
    assert "all others are 1   1 of 3 NaN or" in drawn[9]
    assert drawn[9].endswith("1")
    assert "activations: 100 of the 1,000 samples of test" in drawn
    assert "@@@@" in drawn[14]  # one of 8 bins takes four cells
    assert drawn[-1] == "a note"


def test_by_powers_of_ten_what_is_rare_is_higher() -> None:
    ((linear, log)) = (lines(histograms(MANY, log=each), width=110)[3] for each in (False, True))
    assert linear.index("@") == log.index("@")
    assert linear[linear.index("@") - 1] == "."
    assert log[log.index("@") - 1] == ":"
    assert "without zeros, log" in lines(histograms(MANY, log=True), width=110)[1]


def test_narrow_terminals_keep_the_bars() -> None:
    for width in (60, 80):
        drawn = lines(histograms(MANY, log=False), width=width)
        assert max(map(len, drawn)) <= width
        assert " .@%" in drawn[3]
        assert drawn[9].startswith("broken.wei")
        assert drawn[9].endswith("1")


def test_colours_tell_the_side_of_zero() -> None:
    sent = draw(histograms(MANY, log=False), width=110, color="truecolor")
    assert "\x1b[38;2;74;134;204m" in sent
    assert "\x1b[38;2;217;103;79m" in sent
    assert "█" in sent


def test_few_are_charts() -> None:
    few = HistogramsView(None, None, MANY.histograms[:2])
    drawn = lines(histograms(few, log=False), width=80)
    assert drawn[2].split() == ["conv0.weight", "conv1.weight"]
    assert drawn[3].startswith("mean 0.167   std 0.85")
    assert any("###" in line for line in drawn)


def test_every_sheet_is_a_picture() -> None:
    for log in (False, True):
        for sheet in MANY.charts(log=log):
            assert draw_charts(sheet).startswith(b"\x89PNG")
