"""Where the errors sit: the true gradient element by element, and its pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.graph import INPUT, Graph, build
from cnncli.inspection.gradcheck import ErrorMap, GradcheckReport, Verdict, board, brief, truth
from cnncli.inspection.gradcheck.functions import LayerFunction
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board
from cnncli.layers import LAYERS
from tests.inspection.gradcheck.networks import (
    CROSS_ENTROPY,
    IMAGE,
    chain,
    check,
    deep_net,
    numbers,
    of_kind,
    one_filter,
    real_numbers_only,
    rewired,
    small_net,
    spoil,
    with_stand,
)
from tests.parity.random_graphs import random_graph

Array = NDArray[Any]

SUBJECT = Subject("noise", samples=3)


def found(report: GradcheckReport, node: str, tensor: str, level: str = "layer") -> ErrorMap:
    (one,) = [each for each in report.maps if (each.node, each.tensor, each.level) == (node, tensor, level)]
    return one


def drawn(report: GradcheckReport, graph: Graph, top: int = 16) -> Board:
    return board(report, graph, SUBJECT, top)


# The truth


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layers_gradients_are_true_in_every_element(kind: str) -> None:
    report = check(of_kind(kind), mapped="all")
    assert len(report.maps) == len(report.tensors)
    for each in report.maps:
        assert each.true.shape == each.analytic.shape
        assert each.count == each.true.size
        assert each.largest < 1e-12
        assert each.differing == 0


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_random_networks_gradients_are_true_in_every_element(seed: int) -> None:
    report = check(random_graph(seed), mapped="all")
    assert max(each.largest for each in report.maps) < 1e-10
    assert all(each.true.size or each.by_slice.size for each in report.maps)


@pytest.mark.parametrize(
    ("kind", "options", "tensor", "passes"),
    [
        ("relu", {}, INPUT, 1),
        ("conv2d", {"out_channels": 4, "kernel_size": 3}, "weight", 2 * 9),
        ("conv2d", {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}, INPUT, 2 * 9),
        ("conv2d", {"out_channels": 2, "kernel_size": 3, "groups": 2, "dilation": 2}, INPUT, 5 * 5),
        ("avg_pool2d", {"kernel_size": 3, "stride": 1}, INPUT, 9),
        ("batch_norm", {}, INPUT, 3 * 6 * 6),
        ("global_avg_pool2d", {}, INPUT, 6 * 6),
    ],
)
def test_what_is_independent_is_moved_at_once(
    monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, Any], tensor: str, passes: int
) -> None:
    x, layer = numbers(3, *IMAGE), LAYERS[kind].model_validate(options)
    node = build(IMAGE, [("it", layer, (INPUT,))]).nodes[0]
    params = layer.init((IMAGE,), np.random.default_rng(0))
    function = LayerFunction(node, params, {}, (x,), numbers(*node.shape, 3), 0)
    asked = []
    slopes = truth.slopes
    monkeypatch.setattr(truth, "slopes", lambda *args: asked.append(args) or slopes(*args))
    gradient = truth.true_gradient(function, tensor, function.cotangent, np.random.default_rng(0))
    assert gradient is not None
    np.testing.assert_allclose(gradient, function.gradients(function.cotangent)[tensor], rtol=1e-10, atol=1e-12)
    assert passes <= len(asked) <= passes + 12  # some to see what is independent, and to prove the result


def test_without_complex_numbers_differences_find_the_truth() -> None:
    model = with_stand(small_net(), "conv2d0", forward=real_numbers_only)
    each = found(check(model, layers=["conv2d0"], mapped="all"), "conv2d0", INPUT)
    np.testing.assert_allclose(each.true, each.analytic, atol=1e-9)


# The maps


def test_a_map_shows_what_is_wrong_and_nothing_else() -> None:
    report = check(spoil(deep_net(), "conv2d3", "weight", one_filter), mapped="failed")
    (each,) = report.maps  # the network's weights are wrong for the same reason
    assert each.differs[6].all()
    assert not np.delete(each.differs, 6, axis=0).any()
    assert (each.name, each.level, each.differing, each.count) == ("conv2d3.weight", "layer", 8 * 9, 8 * 8 * 9)
    difference = each.analytic - each.true
    np.testing.assert_allclose(difference[6], 0.1 * each.true[6], rtol=1e-9)
    assert np.abs(np.delete(difference, 6, axis=0)).max() < 1e-12
    assert each.largest == pytest.approx(0.1 * np.abs(each.true[6]).max() / np.abs(each.true).max())


def test_tensors_that_are_too_large_have_a_number_for_each_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "WORK", 1)
    report = check(spoil(deep_net(), "conv2d3", "weight", one_filter), layers=["conv2d3"], mapped="all")
    each = found(report, "conv2d3", "weight")
    assert (each.true.size, each.by_slice.shape, each.differing, each.count) == (0, (8,), 1, 8)
    assert each.by_slice.argmax() == 6
    assert found(report, "conv2d3", INPUT).by_slice.shape == (8,)
    assert found(report, "conv2d3", INPUT).largest < 1e-12
    sheet = drawn(report, deep_net()).sheets[0]
    (row,) = sheet.rows
    assert row.title == ("relative error", f"1 of 8 filters wrong, by up to {each.largest:.2g} of the largest")
    np.testing.assert_array_equal(row.tiles[0].values, each.by_slice[None])


def test_of_a_network_that_is_wired_wrongly_there_are_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [("linear", {"out_features": 4}), ("softmax", {}), ("tanh", {}), ("linear", {"out_features": 2})]
    rewired(monkeypatch, lambda step: replace(step, owned=tuple(name != INPUT for name in step.node.inputs)))
    report = check(chain((4,), *layers), mapped="failed")
    assert report.verdict is Verdict.FAIL
    assert {(each.name, each.level) for each in report.maps} == {
        (name, "network") for name in ("linear0.weight", "linear0.bias", "input")
    }
    assert all(each.differing == each.count for each in report.maps)


def test_maps_are_made_only_where_they_are_asked_for() -> None:
    faulty = spoil(small_net(), "linear4", "weight", lambda gradient: 2 * gradient)
    assert not check(faulty).maps
    assert not check(small_net(), mapped="failed").maps
    assert [each.name for each in check(faulty, mapped="failed").maps] == ["linear4.weight"]
    names = [each.name for each in check(faulty, layers=["relu1", "loss"], mapped="all").maps]
    assert names == ["relu1.input", "loss.input"]


def test_an_error_map_of_nothing_but_zeros() -> None:
    report = check(spoil(small_net(), "linear4", "weight", lambda g: 0 * g), np.zeros((3, 2, 9, 9)), mapped="all")
    assert all(np.isfinite(each.largest) for each in report.maps)


# The pictures


def test_three_rows_show_the_same_filters_the_worst_first() -> None:
    def two_filters(gradient: Array) -> Array:
        changed = gradient.copy()
        changed[6] *= 1.1
        changed[2] *= 3
        return changed

    graph = deep_net()
    report = check(spoil(graph, "conv2d3", "weight", two_filters), mapped="failed")
    (sheet,) = drawn(report, graph).sheets
    (each,) = report.maps
    assert sheet.stem == "04_conv2d3__weight"
    assert sheet.title == ("conv2d3.weight", "the layer alone", "FAIL", "8x8x3x3")
    assert sheet.notes == ("only filters 2 and 6",)
    analytic, true, difference = sheet.rows
    assert [row.what for row in sheet.rows] == ["analytic", "true", "difference"]
    assert analytic.channels == true.channels == difference.channels == (2, 6)
    np.testing.assert_array_equal(analytic.tiles[0].values, each.analytic[2])
    np.testing.assert_array_equal(true.tiles[1].values, each.true[6])
    np.testing.assert_array_equal(difference.tiles[0].values, (each.analytic - each.true)[2])
    assert analytic.statistics == true.statistics  # one scale for both
    assert analytic.statistics is not None
    assert analytic.statistics.max == max(each.analytic.max(), each.true.max())
    assert difference.title == ("difference", f"144 of 576 elements wrong, by up to {each.largest:.2g} of the largest")
    (sheet,) = drawn(report, graph, top=1).sheets
    assert [row.channels for row in sheet.rows] == [(2,)] * 3
    inner = np.abs(difference.tiles[0].values).max(axis=(1, 2)).argmax()
    np.testing.assert_array_equal(sheet.rows[2].tiles[0].values, difference.tiles[0].values[[inner]])


def test_of_several_samples_the_worst_is_drawn() -> None:
    graph = small_net()
    faulty = spoil(graph, "conv2d0", INPUT, lambda dx: np.where(np.arange(3) == 1, 1.5 * dx, dx))
    report = check(faulty, mapped="failed")
    (sheet,) = drawn(report, graph).sheets
    (each,) = report.maps
    assert sheet.stem == "01_conv2d0__input"
    assert {row.title[-1] for row in sheet.rows} == {"sample 1"}
    shown = {tile.channel: tile.values for tile in sheet.rows[0].tiles}
    np.testing.assert_array_equal(shown[0], each.analytic[1, 0])
    np.testing.assert_array_equal(shown[1], each.analytic[1, 1])


def test_corners_are_not_called_wrong() -> None:
    """Where equal pixels compete, complex numbers, rounded otherwise, may let another one win."""
    graph, x = small_net(), numbers(1, 2, 9, 9)
    differs = np.zeros(x.shape, np.bool_)
    differs[0, 1, 2:3, :5] = True
    each = ErrorMap("input", "input", "network", 0.03, 5, x.size, x, 1.03 * x, np.empty(0), differs)
    report = replace(check(graph, layers=[INPUT]), maps=(each,))
    assert report.verdict is Verdict.PASS
    (sheet,) = drawn(report, graph).sheets
    assert sheet.rows[2].title[1] == "5 of 162 elements differ, on corners, by up to 0.03 of the largest"
    assert [row.channels for row in sheet.rows] == [(1,)] * 3, "what is called right is not drawn"


def test_what_is_right_is_drawn_too_where_it_is_asked_for() -> None:
    graph = small_net()
    report = check(graph, loss=CROSS_ENTROPY, mapped="all")
    sheets = {sheet.stem: sheet for sheet in drawn(report, graph).sheets}
    assert len(sheets) == len(report.tensors)
    assert {"00_input__input-network", "05_linear4__weight", "05_linear4__bias-network", "06_loss__input"} <= set(
        sheets
    )
    assert sheets["06_loss__input"].title == ("loss.input", "the layer alone", "PASS", "3x4")
    difference = sheets["01_conv2d0__weight"].rows[2]
    assert difference.title[1].startswith("nothing but rounding: ")
    assert len(difference.tiles) == 3
    assert sheets["01_conv2d0__weight"].notes == ()


def test_a_filter_that_counts_as_wrong_is_drawn_as_wrong() -> None:
    """Errors are shares of the largest number, not of one another: a small one beside a huge one is an error too."""

    def two_filters(gradient: Array) -> Array:
        changed = gradient.copy()
        changed[2] *= 1e10
        changed[6] *= 1.1
        return changed

    report = check(spoil(deep_net(), "conv2d3", "weight", two_filters), mapped="failed")
    (each,) = report.maps
    assert each.differing == 2 * 8 * 9
    assert {row.channels for row in drawn(report, deep_net()).sheets[0].rows} == {(2, 6)}


def test_a_brief_board_says_how_much_more_there_is() -> None:
    graph = deep_net()
    report = check(spoil(graph, "conv2d3", "weight", lambda gradient: gradient + 0.1), mapped="all")
    whole, few = drawn(report, graph), brief(report, graph, SUBJECT)
    assert len(whole.sheets) == len(report.maps) > 2
    assert [sheet.stem for sheet in few.sheets] == [sheet.stem for sheet in whole.sheets[:2]]
    assert few.notes == (f"with --out DIR the maps of all {len(report.maps)} wrong gradients are drawn",)
    assert max(len(row.tiles) for sheet in few.sheets for row in sheet.rows) == 4
    faulty = spoil(graph, "conv2d3", "weight", lambda gradient: gradient + 0.1)
    report = check(faulty, mapped="failed")
    (sheet,), (short,) = drawn(report, graph).sheets, brief(report, graph, SUBJECT).sheets
    assert sheet.notes
    assert short.notes == brief(report, graph, SUBJECT).notes == ()
