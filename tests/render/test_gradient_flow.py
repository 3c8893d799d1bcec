from __future__ import annotations

import math

import numpy as np
import pytest

from cnncli.inspection.statistics import statistics
from cnncli.inspection.views import BackwardView, Subject
from cnncli.inspection.views.flow import FlowRow, GradientRow
from cnncli.render.terminal.gradient_flow import CELLS, DECADES, LogAxis, flow_table
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


def test_the_ends_are_powers_of_ten_around_all_values() -> None:
    axis = LogAxis.of([3e-7, 0.02, None, 0.0, 40.0, math.inf, math.nan])
    assert (axis.low, axis.high) == (-7, 2)
    assert axis.ends == "1e-7" + " " * (CELLS - 7) + "1e2"
    assert axis.share(1e2) == 1
    assert axis.share(10**-2.5) == pytest.approx(0.5)


def test_what_differs_little_looks_so() -> None:
    axis = LogAxis.of([1.0, 2.0, 3.0])
    assert axis.high - axis.low == DECADES
    assert axis.share(3.0) - axis.share(1.0) < 0.15


@pytest.mark.parametrize("value", [None, 0.0, math.nan, math.inf])
def test_what_has_no_logarithm_has_no_bar(value: float | None) -> None:
    assert LogAxis.of([value, 1.0]).share(value) == 0
    assert LogAxis.of([value]).ends.split() == ["1e-4", "1e0"]


def test_the_least_value_is_seen() -> None:
    axis = LogAxis.of([1e-9, 1.0])
    assert axis.share(1e-9) > 0


def test_a_vanishing_gradient_is_seen_at_a_glance() -> None:
    text = lines(flow_table(view(1e-8, 1e-5, 1e-2, 1.0)), width=80)
    bars = [line.count("█") for line in text[2:6]]
    assert bars == sorted(bars)
    assert bars[0] <= 1
    assert bars[-1] == CELLS
    assert text[0].split()[2:4] == ["1e-8", "1e0"]
    assert text[-1] == "from layer3 back to layer0: |dL/da| times 1.00e-8"


def test_an_exploding_gradient_too() -> None:
    text = lines(flow_table(view(1e6, 1e3, 1.0)), width=80)
    assert [line.count("█") for line in text[2:5]] == [CELLS, CELLS // 2, 0]
    assert text[-1] == "from layer2 back to layer0: |dL/da| times 1.00e6"


def test_parameters_stand_beside_their_layer() -> None:
    text = lines(flow_table(view(1.0, 1.0, ratios=(None, 1e-3))), width=80)
    assert text[0].split()[-3:] == ["|dL/dW|/|W|", "1e-7", "1e-3"]
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
