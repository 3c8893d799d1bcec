"""What a trace shows: the window, the winner, the gate, the terms, and where each comes from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.engine import LossObjective, UpstreamObjective
from cnncli.errors import UsageError
from cnncli.graph import INPUT, Model
from cnncli.inspection.trace import Number, Scene, number_of
from cnncli.inspection.trace.question import Question
from tests.inspection.trace.networks import ask, trace_of

Array = NDArray[Any]
GRID = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)


def scene(layers: str, x: Array = GRID, upstream: Array | None = None, **options: Any) -> Scene:
    """A network from YAML; of gradients where an upstream gradient is given."""
    shape = list(x.shape[1:])
    experiment = load(f"model: {{input: {shape}, layers: [{layers}]}}\nloss: mse\n")
    model = Model.create(experiment.graph, dtype=np.float64)
    objective = None if upstream is None else UpstreamObjective(experiment.graph.output.name, upstream)
    return Scene.record(model, x, objective, **options)


EDGE = (
    "{type: conv2d, name: edge, out_channels: 1, kernel_size: 3, padding: 1, bias: [0.5], "
    "weight: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}"
)


def test_a_window_with_padding_and_its_kernel() -> None:
    trace = ask(scene(EDGE), layer="edge", at=(0, 2))
    found: Any = trace.arithmetic
    (window,) = found.windows
    assert (window.source, window.first, window.step) == (INPUT, (0, -1, 1), (1, 1, 1))
    assert window.values.tolist() == [[[0, 0, 0], [2, 3, 0], [5, 6, 0]]]
    assert window.inside.tolist() == [[[False] * 3, [True, True, False], [True, True, False]]]
    assert window.coefficients.tolist() == [[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]
    assert window.products.sum() == 2 * 2 + 5
    assert (found.weighted, found.offset, found.offset_name) == (True, 0.5, "bias")
    assert trace.value == trace.engine == 9.5


def test_dilation_and_groups() -> None:
    x = np.arange(50.0).reshape(1, 2, 5, 5)
    conv = "{type: conv2d, name: c, out_channels: 4, kernel_size: 2, dilation: 3, groups: 2}"
    found: Any = ask(scene(conv, x), layer="c", channel=3, at=(1, 0)).arithmetic
    (window,) = found.windows
    assert (window.first, window.step) == ((1, 1, 0), (1, 3, 3))
    assert window.values.tolist() == [[[30, 33], [45, 48]]]


@pytest.mark.parametrize(("include", "share"), [("true", 1 / 9), ("false", 1 / 4)])
def test_a_mean_with_padding(include: str, share: float) -> None:
    pool = f"{{type: avg_pool2d, name: p, kernel_size: 3, padding: 1, stride: 2, count_include_pad: {include}}}"
    found: Any = ask(scene(pool), layer="p", at=(0, 0)).arithmetic
    (window,) = found.windows
    assert window.coefficients[window.inside].tolist() == [share] * 4
    assert found.value == pytest.approx((1 + 2 + 4 + 5) * share, rel=1e-15)


def test_the_winner_is_the_first_of_the_largest() -> None:
    x = np.array([[[[1.0, 3, 0], [3, 3, 0], [0, 0, -1]]]])
    pool = "{type: max_pool2d, name: p, kernel_size: 2, stride: 1}"
    found: Any = ask(scene(pool, x), layer="p", at=(0, 0)).arithmetic
    assert (found.ties, found.value) == (3, 3)
    assert np.argwhere(found.window.coefficients).tolist() == [[0, 0, 1]]
    padded = "{type: max_pool2d, name: p, kernel_size: 3, stride: 2, padding: 1}"
    found = ask(scene(padded, -1 - x), layer="p", at=(0, 0)).arithmetic
    assert found.value == -2  # the padding never wins
    traced = ask(scene(pool, x, np.ones((1, 1, 2, 2))), layer=INPUT, at=(1, 1), backward=True)
    assert {tuple(place) for place in traced.arithmetic.flows[0].places.tolist()} == {  # type: ignore[union-attr]
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 0),
        (0, 1, 1),
    }
    assert traced.value == traced.engine == 1  # it wins the window below it alone


def test_a_gate() -> None:
    found = scene("{type: relu, name: r}", GRID - 5)
    closed: Any = ask(found, layer="r", at=(0, 0)).arithmetic
    opened: Any = ask(found, layer="r").arithmetic
    assert (closed.gate, closed.slope, closed.value) == ("closed", 0, 0)
    assert (opened.gate, opened.slope, opened.value) == ("open", 1, 4)
    assert (opened.source, opened.place) == (INPUT, (0, 2, 2))
    smooth: Any = ask(scene("{type: tanh, name: t}"), layer="t", at=(0, 0)).arithmetic
    assert smooth.gate is None
    assert smooth.slope == pytest.approx(1 - math.tanh(1) ** 2, rel=1e-15)


def test_a_flattened_image_is_shown_as_the_image_again() -> None:
    found: Any = ask(scene("flatten, {type: linear, name: fc, out_features: 2}"), layer="fc", channel=1).arithmetic
    (window,) = found.windows
    assert (window.source, window.values.shape) == (INPUT, (1, 3, 3))
    dropped = scene("flatten, dropout, {type: linear, name: fc, out_features: 2}", training=True)
    found = ask(dropped, layer="fc").arithmetic
    assert (found.windows[0].source, found.windows[0].values.shape) == ("dropout1", (9,))


def test_parts_of_a_concatenation_and_of_a_sum() -> None:
    layers = "{type: tanh, name: a}, {type: relu, inputs: [input], name: b}, {type: concat, name: j, inputs: [a, b]}"
    found: Any = ask(scene(layers), layer="j", channel=1, at=(2, 0)).arithmetic
    assert [(window.source, window.first) for window in found.windows] == [("b", (0, 2, 0))]
    layers = "{type: tanh, name: a}, {type: add, name: s, inputs: [a, input, a]}"
    traced = ask(scene(layers, GRID, np.ones((1, 1, 3, 3))), layer="a", at=(1, 1), backward=True)
    assert traced.arithmetic.flows[0].slopes.tolist() == [2]  # type: ignore[union-attr]


def test_the_terms_of_a_gradient_and_their_weights() -> None:
    upstream = np.arange(9.0).reshape(1, 1, 3, 3)
    traced = ask(scene(EDGE, GRID, upstream), layer=INPUT, at=(0, 0), backward=True)
    (flow,) = traced.arithmetic.flows  # type: ignore[union-attr]
    assert (flow.reader, flow.type, flow.factor) == ("edge", "conv2d", "edge.weight")
    numbers = zip(map(tuple, flow.places.tolist()), flow.upstream, flow.slopes, strict=True)
    terms = {place: (dy, slope) for place, dy, slope in numbers}
    assert terms == {(0, 0, 0): (0, 0), (0, 0, 1): (1, 2), (0, 1, 0): (3, 0), (0, 1, 1): (4, 1)}
    assert flow.factor_places is not None
    taps = dict(zip(terms, map(tuple, flow.factor_places.tolist()), strict=True))
    assert taps[0, 0, 1] == (0, 0, 1, 0)
    assert np.abs(flow.products).tolist() == sorted(np.abs(flow.products), reverse=True)
    assert traced.value == traced.engine == 6


def test_the_terms_of_a_weight_and_their_inputs() -> None:
    upstream = np.arange(9.0).reshape(1, 1, 3, 3)
    traced = ask(scene(EDGE, GRID, upstream), layer="edge", weight="0,0,0,2")
    (flow,) = traced.arithmetic.flows  # type: ignore[union-attr]
    assert flow.factor == INPUT
    assert flow.factor_places is not None
    pairs = {tuple(place): tuple(x) for place, x in zip(flow.places.tolist(), flow.factor_places.tolist(), strict=True)}
    assert pairs == {(0, 1, 0): (0, 0, 1), (0, 1, 1): (0, 0, 2), (0, 2, 0): (0, 1, 1), (0, 2, 1): (0, 1, 2)}
    assert traced.value == 3 * 2 + 4 * 3 + 6 * 5 + 7 * 6
    assert ask(scene(EDGE, GRID, upstream), layer="edge", bias="0").value == upstream.sum()


def test_the_loss_and_its_gradient_by_hand() -> None:
    experiment = load("model: {input: [3], layers: [{type: softmax, name: s}]}\n")
    x = np.array([[1.0, 2, 3], [0, 0, 0]])
    objective = LossObjective.of(experiment.loss, experiment.graph, np.array([2, 0]))
    found = Scene.record(Model.create(experiment.graph), x, objective)
    account: Any = ask(found, layer="loss", sample=1).arithmetic
    assert account.reads == INPUT  # the softmax is the loss's own
    assert account.terms.tolist() == pytest.approx([math.log(3), 0, 0])
    traced = ask(found, layer=INPUT, at=(0,), backward=True)
    (flow,) = traced.arithmetic.flows  # type: ignore[union-attr]
    assert flow.upstream.tolist() == [0.5]  # the mean of two
    assert dict(flow.by_hand)["softmax - target"] == pytest.approx(flow.slopes[0])
    with pytest.raises(UsageError, match=r"--layer s: what is differentiated does not depend on it; it reads input"):
        ask(found, layer="s", backward=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_shown_and_told(bad: float) -> None:
    x = GRID.copy()
    x[0, 0, 1, 1] = bad
    layers = f"{EDGE}, relu, {{type: max_pool2d, kernel_size: 2}}, flatten, {{type: linear, out_features: 2}}, softmax"
    found = scene(layers, x, np.ones((1, 2)))
    for name in found.model.graph.consumers:
        for backward in (False, True):
            if name != INPUT or backward:
                traced = ask(found, layer=name, backward=backward)
                assert traced.nonfinite == (traced.number.name,)  # every window sees the middle


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_only_windows_with_the_corner_are_not_finite(bad: float) -> None:
    x = np.arange(25.0).reshape(1, 1, 5, 5)
    x[0, 0, 0, 0] = bad
    found = scene(f"{EDGE}, relu", x)
    for name in ("edge", "relu1"):
        for at in np.ndindex(5, 5):
            traced = ask(found, layer=name, at=at)
            assert traced.nonfinite == ((traced.number.name,) if max(at) <= 1 else ())


@pytest.mark.parametrize("x", [np.zeros((1, 1, 3, 3)), np.full((1, 1, 3, 3), 7.0), np.zeros((1, 1, 1, 1))])
def test_constant_and_tiny_inputs(x: Array) -> None:
    layers = "{type: conv2d, out_channels: 2, kernel_size: 3, padding: 1}, batch_norm, relu, global_avg_pool2d"
    found = scene(layers, np.concatenate([x, x]), np.ones((1, 2)), training=True)
    for name in found.model.graph.consumers:
        trace_of(found, *number_of(found, Question(name, backward=True)))
        if name != INPUT:
            trace_of(found, *number_of(found, Question(name)))


@pytest.mark.parametrize("layer", ["tanh", "sigmoid", "{type: elu, alpha: 1e6}", "softmax", "gelu", "silu", "softplus"])
@pytest.mark.parametrize("size", [1, 6, 20, 400])
def test_saturated_layers_are_no_bug(layer: str, size: int) -> None:
    x = size * np.sin(np.arange(1.0, 28.0)).reshape(1, 3, 3, 3)
    found = scene(layer, x, np.cos(np.arange(27.0)).reshape(1, 3, 3, 3))
    for place in np.ndindex(3, 3, 3):
        for node, backward in ((found.model.graph.output.name, False), (INPUT, True)):
            ask(found, layer=node, channel=place[0], at=place[1:], backward=backward)


def test_where_a_place_is_not_given_it_is_the_largest() -> None:
    upstream = np.array([[[[0.0, -9, 0], [0, 0, 5], [0, 0, 0]]]])
    found = scene("{type: identity, name: i}", GRID[:, :, ::-1], upstream)
    assert ask(found, layer="i").number.index == (0, 0, 2)
    assert ask(found, layer="i", backward=True).number.index == (0, 0, 1)
    assert ask(found, layer="i", at=(1, 1)).number.index == (0, 1, 1)  # there is one channel
    two = scene("{type: identity, name: i}", np.concatenate([GRID, -GRID], axis=1))
    assert ask(two, layer="i", channel=1).number == Number("i", None, "identity", (2, 3, 3), (1, 0, 0), 0, False)
    assert ask(two, layer="i", at=(2, 2)).number.index == (0, 2, 2)
    flat = scene("flatten", GRID)
    assert ask(flat, layer="flatten1", channel=3).number.index == ask(flat, layer="flatten1", at=(3,)).number.index
    assert ask(found, layer="i", backward=True).number.name == "dL/d i[0,0,1]"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"layer": "egde"}, "--layer egde: the network has no such layer; did you mean 'edge'?"),
        ({"layer": "edge", "channel": 1}, "--channel 1: edge has the channels 0 to 0"),
        ({"layer": "edge", "at": (0, 3)}, "--at 0,3: edge has the positions 0,0 to 2,2"),
        ({"layer": "edge", "at": (0,)}, "--at 0: edge has the positions 0,0 to 2,2"),
        (
            {"layer": "flat", "channel": 1, "at": (1,)},
            "--channel and --at: flat is flat, 9 numbers; give one of the two",
        ),
        ({"layer": "flat", "weight": "0"}, "--weight: flat has no weight; edge has one"),
        ({"layer": "edge", "weight": "0,0"}, "--weight 0,0: edge.weight has the numbers 0,0,0,0 to 0,0,2,2"),
        ({"layer": "edge", "bias": "1"}, "--bias 1: edge.bias has the numbers 0 to 0"),
        (
            {"layer": "edge", "bias": "first"},
            "--bias first: expected whole numbers with commas between them, as 4,5, or largest",
        ),
        ({"layer": "edge", "bias": "0", "weight": "0"}, "--weight and --bias are two numbers; give one of them"),
        (
            {"layer": "edge", "bias": "0", "channel": 0},
            "--bias says which number is meant; leave out --channel and --at",
        ),
        ({"layer": "loss", "backward": True}, "--layer loss: it is one number, the start of all gradients; leave out"),
        ({"layer": "input"}, "--layer input: it is given, not computed; see its gradient with --backward"),
        ({"layer": "edge", "backward": True, "receptive_field": True}, "--receptive-field shows what one output of a"),
    ],
)
def test_what_cannot_be_traced(question: dict[str, Any], message: str) -> None:
    found = scene(f"{EDGE}, {{type: flatten, name: flat}}", GRID, np.ones((1, 9)))
    with pytest.raises(UsageError) as raised:
        ask(found, **question)
    assert str(raised.value).startswith(message)
