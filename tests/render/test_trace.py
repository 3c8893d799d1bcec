"""The arithmetic of one number as text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.engine import LossObjective, UpstreamObjective
from cnncli.graph import INPUT, Model
from cnncli.inspection.trace import Scene, Trace
from cnncli.render.document import plain
from cnncli.render.terminal.arithmetic import largest_first
from cnncli.render.terminal.trace import trace
from cnncli.render.trace_document import trace_document
from tests.inspection.trace.networks import ask
from tests.render.makers import draw, lines

Array = NDArray[Any]

GRID = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
EDGE = (
    "{type: conv2d, name: edge, out_channels: 1, kernel_size: 3, padding: 1, bias: [0.5], "
    "weight: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}"
)


def scene(layers: str, x: Array = GRID, upstream: Array | None = None) -> Scene:
    experiment = load(f"model: {{input: {list(x.shape[1:])}, layers: [{layers}]}}\nloss: mse\n")
    objective = None if upstream is None else UpstreamObjective(experiment.graph.output.name, upstream)
    return Scene.record(Model.create(experiment.graph, dtype=np.float64), x, objective)


def text(traced: Trace, *, width: int = 80, **options: Any) -> list[str]:
    return lines(trace(traced, **options), width=width)


def test_a_convolution() -> None:
    assert text(ask(scene(EDGE), layer="edge", at=(0, 2))) == [
        "trace edge[0,0,2]   conv2d 1x3x3",
        "",
        "reads input: channel 0, rows -1 to 1, columns 1 to 3",
        "",
        "input c0   edge.weight[0,0]   products, sum 9",
        "· · ·       1  0 -1           · · ·",
        "2 3 ·    x  2  0 -2         = 4 0 ·",
        "5 6 ·       1  0 -1           5 0 ·",
        "· is the padding: 0",
        "",
        "  sum of 4 products  9.000",
        "+ bias               0.500",
        "                     ─────",
        "= edge[0,0,2]        9.500",
        "  the engine has     9.500  equal",
    ]


def test_in_plain_characters() -> None:
    drawn = draw(trace(ask(scene(EDGE), layer="edge", at=(0, 2))), encoding="ascii")
    assert drawn.isascii()
    assert ". is the padding: 0" in drawn


def test_where_it_does_not_fit_the_grids_stand_below_one_another() -> None:
    assert text(ask(scene(EDGE), layer="edge", at=(0, 2)), width=40)[4:11] == [
        "",
        "input c0   edge.weight[0,0]",
        "· · ·       1  0 -1",
        "2 3 ·    x  2  0 -2",
        "5 6 ·       1  0 -1",
        "   products, sum 9",
        "   · · ·",
    ]


def test_the_largest_channels_are_written_out() -> None:
    x = np.stack([GRID[0, 0] * factor for factor in (1, -5, 3, 4, -2)])[None]
    conv = "{type: conv2d, name: c, out_channels: 1, kernel_size: 2, init: {weight: {type: constant, value: 1}}}"
    traced = ask(scene(conv, x), layer="c", at=(0, 0))
    assert [line for line in text(traced) if line.startswith("input c")] == [
        "input c1   c.weight[0,1]   products, sum -60",
        "input c3   c.weight[0,3]   products, sum 48",
        "input c2   c.weight[0,2]   products, sum 36",
    ]
    assert "sums of the products of 2 other channels" in text(traced)
    assert "c4 -24   c0 12" in text(traced)
    assert sum(line.startswith("input c") for line in text(traced, every=True)) == 5


def test_a_mean() -> None:
    drawn = text(ask(scene("{type: avg_pool2d, name: p, kernel_size: 3}"), layer="p"))
    assert drawn[-5:] == [
        "  sum of 9 numbers  45",
        "x 1 / 9",
        "                    ──",
        "= p[0,0,0]           5",
        "  the engine has     5  equal",
    ]


def test_a_maximum() -> None:
    pool = "{type: max_pool2d, name: p, kernel_size: 2, stride: 1, padding: 1}"
    assert text(ask(scene(pool, np.minimum(GRID, 6)), layer="p", at=(2, 3)))[2:] == [
        "reads input: channel 0, rows 1 to 2, columns 2 to 3",
        "",
        "input c0",
        "[6]  ·",
        " 6   ·",
        "· is the padding, which never wins",
        "",
        "2 of these 2 are equally large; the first, input[0,1,2], alone gets the gradient",
        "",
        "= p[0,2,3]        6",
        "  the engine has  6  equal",
    ]


def test_a_gate_and_a_smooth_function() -> None:
    found = scene("{type: relu, name: r}, {type: sigmoid, name: s}", GRID - 5)
    drawn = text(ask(found, layer="r", at=(0, 0)))
    assert drawn[2:] == [
        "x is input[0,0,0]",
        "",
        "  x                     -4",
        "                        ──",
        "= r[0,0,0] = max(x, 0)   0",
        "  the engine has         0  equal",
        "",
        "on the way back: dL/dx = dL/dy x 0: the gate is closed",
    ]
    drawn = text(ask(found, layer="s", at=(2, 2)))
    assert drawn[4:8] == [
        "  x                                       4",
        "  exp(-x)                           0.01832",
        "                                    ───────",
        "= s[0,2,2] = s = 1 / (1 + exp(-x))   0.9820",
    ]
    assert drawn[-1] == "on the way back: dL/dx = dL/dy x 0.01766"


def test_what_is_only_moved() -> None:
    drawn = text(ask(scene("{type: flatten, name: f}"), layer="f", channel=5))
    assert drawn[2:] == ["f[5] is input[0,1,2] itself", "= f[5]            6", "  the engine has  6  equal"]


def test_many_terms_and_the_rest() -> None:
    fc = "{type: linear, name: fc, out_features: 2, init: {weight: {type: constant, value: 0.5}}}"
    found = scene(fc, np.arange(30.0).reshape(1, 30))
    drawn = text(ask(found, layer="fc", channel=0))
    assert drawn[2].split() == ["from", "number", "x", "coefficient", "=", "term"]
    assert drawn[4].split() == ["input[29]", "29", "0.5000", "14.50"]
    assert drawn[14].split() == ["and", "20", "smaller", "95.00"]
    every = text(ask(found, layer="fc", channel=0), every=True)
    assert not any(line.startswith("and ") for line in every)
    assert len(every) == len(drawn) + 19


def test_where_it_is_narrow_the_terms_stay_and_what_they_are_made_of_goes() -> None:
    fc = "{type: linear, name: fc, out_features: 2, init: {weight: {type: constant, value: 0.5}}}"
    traced = ask(scene(fc, np.arange(30.0).reshape(1, 30)), layer="fc", channel=0)
    assert text(traced, width=30)[2].split() == ["from", "=", "term"]
    upstream = ask(scene(EDGE, GRID, np.ones((1, 1, 3, 3))), layer=INPUT, at=(0, 0), backward=True)
    drawn = {width: text(upstream, width=width) for width in (62, 60, 30)}
    heads = {width: next(line for line in found if line.startswith("y ")).split() for width, found in drawn.items()}
    assert heads[62][-2:] == ["which", "is"]
    assert heads[60] == ["y", "dL/dy", "x", "slope", "=", "term"]
    assert heads[30] == ["y", "=", "term"]


def test_a_gradient() -> None:
    upstream = np.arange(9.0).reshape(1, 1, 3, 3)
    assert text(ask(scene(EDGE, GRID, upstream), layer=INPUT, at=(0, 0), backward=True)) == [
        "trace dL/d input[0,0,0]   input 1x3x3",
        "",
        "slope = dy / d input[0,0,0]",
        "y                 dL/dy  x slope  = term  which is",
        "──────────────────────────────────────────────────────────────",
        "edge[0,1,1]           4        1       4  edge.weight[0,0,0,0]",
        "edge[0,0,1]           1        2       2  edge.weight[0,0,1,0]",
        "and 2 that are 0                       0",
        "",
        "  sum of 4 terms     6",
        "                     ─",
        "= dL/d input[0,0,0]  6",
        "  the engine has     6  equal",
    ]


def test_a_loss_and_the_gradient_it_starts_with() -> None:
    experiment = load("model: {input: [3], layers: [{type: identity, name: logits}]}\n")
    objective = LossObjective.of(experiment.loss, experiment.graph, np.array([2]))
    found = Scene.record(Model.create(experiment.graph), np.array([[0.0, np.log(2), np.log(5)]]), objective)
    assert text(ask(found, layer="loss"))[2:] == [
        "logits  logit  softmax  target    term  gradient",
        "────────────────────────────────────────────────",
        "0           0   0.1250       0       0    0.1250",
        "1       0.693   0.2500       0       0    0.2500",
        "2       1.609   0.6250       1  0.4700   -0.3750",
        "",
        "term = -target * log(softmax)",
        "gradient = softmax - target",
        "",
        "  sum of 3 terms  0.4700",
        "                  ──────",
        "= loss            0.4700",
        "  the engine has  0.4700  equal",
    ]
    drawn = text(ask(found, layer="logits", backward=True))
    assert "the slope of the objective" in drawn


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite(bad: float) -> None:
    x = GRID.copy()
    x[0, 0, 0, :2] = [bad, -bad]
    traced = ask(scene(EDGE, x), layer="edge", at=(0, 0))
    assert text(traced)[-1].endswith("not finite")
    assert traced.nonfinite == ("edge[0,0,0]",)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_narrow_and_wide(width: int) -> None:
    x = np.random.default_rng(0).normal(size=(1, 3, 12, 12))
    layers = "{type: conv2d, name: c, out_channels: 2, kernel_size: 7}, relu, {type: max_pool2d, kernel_size: 6}"
    found = scene(layers, x, np.ones((1, 2, 1, 1)))
    for question in ({"layer": "c"}, {"layer": "max_pool2d1"}, {"layer": "c", "weight": "largest"}):
        drawn = text(ask(found, **question), width=width)
        assert max(map(len, drawn)) <= width
        assert any(line.startswith("  the engine has") for line in drawn)


def test_what_makes_a_sum_nan_comes_first() -> None:
    assert largest_first(np.array([1.0, -3.0, 0.0, np.nan, 2.0])) == [3, 1, 4, 0, 2]
    assert largest_first(np.array([1.0, -np.inf, np.nan, np.inf])) == [1, 2, 3, 0]


def test_nan_is_never_among_the_smaller_terms() -> None:
    x = np.arange(1.0, 31.0).reshape(1, 30)
    x[0, 4] = np.nan
    linear = "{type: linear, name: fc, out_features: 30, init: {weight: {type: constant, value: 0.5}}}"
    found = scene(linear, x)
    drawn = text(ask(found, layer="fc", channel=0))
    assert drawn[4].split() == ["input[4]", "nan", "0.5000", "nan"]
    assert drawn[14].split() == ["and", "20", "smaller", "113.0"]


def test_the_channel_with_nan_is_written_out() -> None:
    x = np.stack([GRID[0, 0] * factor for factor in (5, 4, 3, 2, 1)])[None]
    x[0, 4, 0, 0] = np.nan
    conv = "{type: conv2d, name: c, out_channels: 1, kernel_size: 2, init: {weight: {type: constant, value: 1}}}"
    shown = [line for line in text(ask(scene(conv, x), layer="c", at=(0, 0))) if line.startswith("input c")]
    assert shown[0] == "input c4   c.weight[0,4]   products, sum nan"


def test_of_a_loss_the_element_that_is_nan_is_shown() -> None:
    experiment = load("model: {input: [30], layers: [{type: identity, name: y}]}\nloss: mse\n")
    x = np.arange(30.0).reshape(1, 30)
    x[0, 4] = np.nan
    objective = LossObjective.of(experiment.loss, experiment.graph, np.zeros((1, 30)))
    drawn = text(ask(Scene.record(Model.create(experiment.graph), x, objective), layer="loss"))
    assert drawn[4].split()[:2] == ["4", "nan"]
    assert drawn[14].startswith("and 20 others")


def test_a_trace_as_json() -> None:
    found = plain(trace_document(ask(scene(EDGE), layer="edge", at=(0, 2))))
    assert (found["name"], found["value"], found["engine"], found["difference"]) == ("edge[0,0,2]", 9.5, 9.5, 0)
    assert found["arithmetic"]["kind"] == "sum"
    assert found["arithmetic"]["windows"][0]["values"] == [[[0, 0, 0], [2, 3, 0], [5, 6, 0]]]
