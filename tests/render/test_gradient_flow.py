from __future__ import annotations

import math

import numpy as np

from cnncli.inspection.statistics import statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.flow import BackwardView, FlowRow, GradientRow
from cnncli.render.terminal.gradient_flow import CELLS, flow_table
from tests.render.makers import lines


def view(*norms: float, ratios: tuple[float | None, ...] = ()) -> BackwardView:
    ones = np.ones((1, 2, 2))
    names = [f"layer{index}" for index in range(len(norms))]
    layers = tuple(
        GradientRow(name, "conv2d", (), ones.shape, statistics(ones), (0,), ones, activation=ones) for name in names
    )
    ratios = ratios or (None,) * len(norms)
    flow = tuple(
        FlowRow(name, norm, None if ratio is None else ratio, ratio)
        for name, norm, ratio in zip(names, norms, ratios, strict=True)
    )
    return BackwardView(Subject("x"), None, layers, (), flow)


def test_what_differs_little_looks_so() -> None:
    bars = [line.count("█") for line in lines(flow_table(view(1.0, 2.0, 4.0)), width=80)[2:5]]
    assert max(bars) - min(bars) <= 2


def test_the_least_value_is_seen() -> None:
    assert "▌" in lines(flow_table(view(1e-9, 1.0)), width=80)[2]


def test_a_vanishing_gradient_is_seen_at_a_glance() -> None:
    text = lines(flow_table(view(1e-8, 1e-5, 1e-2, 1.0)), width=80)
    bars = [line.count("█") for line in text[2:6]]
    assert bars == sorted(bars)
    assert bars[0] <= 1
    assert bars[-1] == CELLS
    assert text[0].split()[2:4] == ["1e-8", "1"]
    assert text[-1] == "from layer3 back to layer0: |dL/da| times 1.00e-8"


def test_an_exploding_gradient_too() -> None:
    text = lines(flow_table(view(1e6, 1e3, 1.0)), width=80)
    assert [line.count("█") for line in text[2:5]] == [CELLS, CELLS // 2, 0]
    assert text[-1] == "from layer2 back to layer0: |dL/da| times 1.00e6"


def test_parameters_stand_beside_their_layer() -> None:
    text = lines(flow_table(view(1.0, 1.0, ratios=(None, 1e-3))), width=80)
    assert text[0].split()[-3:] == ["|dL/dW|/|W|", "1e-7", "0.001"]
    assert "0.001000" in text[3]
    assert "0.001000" not in text[2]
    assert "|dL/dW|/|W|" not in lines(flow_table(view(1.0, 1.0)), width=80)[0]


def test_all_zero_and_not_finite() -> None:
    text = lines(flow_table(view(0.0, math.nan, math.inf)), width=80)
    assert [line.split()[1] for line in text[2:5]] == ["0", "nan", "inf"]
    assert not any("times" in line for line in text)


def test_plain_characters() -> None:
    text = lines(flow_table(view(1.0, 1e-2)), width=80, encoding="ascii")
    assert "#######" in text[2]
