"""Attributions as rows of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from cnncli.graph import INPUT
from cnncli.inspection.attribution.method import Attribution, Check
from cnncli.inspection.attribution.sanity import Redrawn
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.attribution import ROWS, SANITY, AttributionBoard, CheckResult, attribution_board
from tests.inspection.attribution.networks import LENET, RESNET, network


def subjects(count: int, size: tuple[int, ...] = (12, 12)) -> list[Subject]:
    return [
        Subject(f"test:{index}", picture=np.zeros(size, np.uint8), true="a", predicted="b (60.0%)", target="logit = 2")
        for index in range(count)
    ]


def board(values: np.ndarray, size: tuple[int, ...] = (12, 12), **options: object) -> AttributionBoard:
    attribution = Attribution(values, **{"signed": True, **options})
    return attribution_board(
        "saliency", "gradient", attribution, subjects(len(values), size), np.ones(len(values)), LENET
    )


def test_one_input() -> None:
    values = np.random.default_rng(0).normal(size=(1, 1, 12, 12))
    found = board(values)
    (sheet,) = found.sheets
    (row,) = sheet.rows
    assert sheet.stem == "00_input__gradient"
    assert sheet.title == ()
    assert row.title == ("gradient", "1x12x12")
    assert [tile.label for tile in row.tiles] == ["input", "gradient"]
    assert (row.what, row.node, row.type, row.index, row.shape) == ("gradient", INPUT, INPUT, 0, (1, 12, 12))
    assert row.signed
    assert row.statistics is not None
    assert row.statistics.max == values.max()
    assert found.subject.picture is None  # it is a tile
    assert found.subject.predicted == "b (60.0%)"
    np.testing.assert_array_equal(row.array, values[0])
    np.testing.assert_array_equal(found.values, values)


def test_several_inputs_are_rows_which_say_what_they_are() -> None:
    found = board(np.ones((3, 1, 12, 12)))
    (sheet,) = found.sheets
    assert sheet.title == ("gradient", "1x12x12")
    assert [row.title for row in sheet.rows] == [
        (f"test:{index}", "true a", "predicted b (60.0%)", "target logit = 2") for index in range(3)
    ]
    assert found.subject.input == "3 inputs"
    assert [each.input for each in found.inputs] == ["test:0", "test:1", "test:2"]


def test_many_inputs_take_several_sheets() -> None:
    found = board(np.ones((2 * ROWS + 1, 1, 12, 12)))
    assert [len(sheet.rows) for sheet in found.sheets] == [ROWS, ROWS, 1]
    assert len({sheet.stem for sheet in found.sheets}) == 3


def test_colours_are_summed() -> None:
    values = np.random.default_rng(0).normal(size=(1, 3, 8, 8))
    largest = np.abs(values).max(axis=1)
    attribution = Attribution(values, True, details=(("max |.|", largest),))
    found = attribution_board("saliency", "gradient", attribution, subjects(1, (8, 8, 3)), np.ones(1), RESNET)
    (row,) = found.sheets[0].rows
    assert [tile.label for tile in row.tiles] == ["input", "sum of 3 channels", "max |.|"]
    np.testing.assert_array_equal(row.tiles[1].values, values[0].sum(axis=0))
    np.testing.assert_array_equal(row.tiles[2].values, largest[0])
    assert row.statistics is not None
    assert row.statistics.max == max(values[0].sum(axis=0).max(), largest.max())  # of what is drawn


@pytest.mark.parametrize(
    ("shape", "signed", "over"),
    [((1, 12, 12), True, False), ((1, 12, 12), False, True), ((4, 4), True, True), ((1, 1), False, False)],
)
def test_what_is_coarse_or_positive_is_laid_over_the_input(shape: tuple[int, ...], signed: bool, over: bool) -> None:
    (row,) = board(np.ones((1, *shape)), signed=signed).sheets[0].rows
    assert [tile.over is not None for tile in row.tiles] == [False, False, True][: 3 if over else 2]
    assert row.signed == signed


@pytest.mark.parametrize(
    ("shape", "size", "seen"),
    [
        ((144,), (12, 12), (12, 12)),  # a flat network that is shown images
        ((432,), (12, 12, 3), (12, 12)),
        ((7,), (1, 7), (1, 7)),
        ((2, 5), (2, 5), (2, 5)),
        ((5,), (2, 5), (1, 5)),  # stretches of (C, L)
        ((2048, 1, 1), (1, 1), (1, 2048)),
    ],
)
def test_inputs_that_are_no_images(shape: tuple[int, ...], size: tuple[int, ...], seen: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=(1, *shape))
    (row,) = board(values, size).sheets[0].rows
    assert row.tiles[1].values.shape == seen
    assert row.tiles[1].values.sum() == pytest.approx(values.sum())


def test_maps_of_a_layer() -> None:
    found = board(np.ones((1, 4, 4)), signed=False, node="relu2", notes=("chosen because",))
    assert found.sheets[0].stem == "05_relu2__gradient"
    assert found.sheets[0].rows[0].title == ("gradient", "at relu2", "4x4")
    assert found.sheets[0].rows[0].type == "relu"
    assert found.sheets[0].notes == ("chosen because",)


def test_what_is_not_finite_is_told() -> None:
    values = np.ones((1, 1, 12, 12))
    values[0, 0, 3, 4] = np.nan
    assert board(values).nonfinite == ("input (gradient)",)
    attribution = Attribution(np.ones((2, 1, 12, 12)), True)
    found = attribution_board("saliency", "gradient", attribution, subjects(2), np.array([1, np.inf]), LENET)
    assert found.nonfinite == ("what is explained of test:1",)


def test_checks_stand_under_each_picture() -> None:
    check = Check("completeness", "sum = f(x) - f(b)", np.array([4.213, 1.0, 0.0]), np.array([4.2138, 3.0, 0.0]))
    doubtful = Check("FullGrad", "a = b", np.zeros(3), np.ones(3), holds=False, condition="linear networks")
    found = board(np.ones((3, 1, 12, 12)), checks=(check, doubtful))
    assert [row.notes for row in found.sheets[0].rows] == [
        (text, "FullGrad: a 0 = b 1, residual 100.00% (exact for linear networks)")
        for text in (
            "completeness: sum 4.213 = f(x) - f(b) 4.214, residual 0.02%",
            "completeness: sum 1 = f(x) - f(b) 3, residual 66.67%",
            "completeness: sum 0 = f(x) - f(b) 0, residual 0",
        )
    ]
    assert found.inputs[1].checks[0].residual == pytest.approx(2 / 3)


def test_tiny_residuals_and_none() -> None:
    assert str(CheckResult("c", "a = b", 1, 1, 3.2e-16, True, "")).endswith("residual 3e-16")
    assert str(CheckResult("c", "a = b", np.nan, 1, np.nan, True, "")) == "c: a nan = b 1, residual nan"
    check = Check("c", "a = b", np.array([np.nan]), np.array([1.0]))
    assert np.isnan(check.residual).all()


def test_sanity_has_a_sheet_for_each_input() -> None:
    values = np.stack([np.full((1, 12, 12), 2.0), np.zeros((1, 12, 12))])
    steps = [
        Redrawn("linear2", True, (0.5, float("nan")), (-0.5, float("nan")), -values),
        Redrawn("conv1", False, (0.25, 0.75), (0.1, 0.2), values),
    ]
    found = attribution_board("saliency", "gradient", Attribution(values, True), subjects(2), np.ones(2), LENET, steps)
    _, first, second = found.sheets
    assert first.stem == "00_input__gradient-sanity_1"
    assert [tile.label for tile in first.rows[0].tiles] == ["trained", "linear2: 0.50", "conv1: 0.25"]
    assert [tile.values.max() for tile in first.rows[0].tiles] == [1, -1, 1]  # each divided by its largest magnitude
    assert [tile.values.any() for tile in second.rows[0].tiles] == [False] * 3
    assert second.subject is not None
    assert second.subject.input == "test:1"
    assert first.notes == (SANITY,)
    assert [(step.node, step.changed, step.mean, step.mean_with_signs) for step in found.sanity] == [
        ("linear2", True, 0.5, -0.5),
        ("conv1", False, 0.5, pytest.approx(0.15)),
    ]


def test_names_are_good_for_files() -> None:
    attribution = Attribution(np.ones((1, 4, 4)), False, node="conv2")
    found = attribution_board("grad-cam", "grad-cam++", attribution, subjects(1), np.ones(1), LENET)
    assert found.sheets[0].stem == "04_conv2__grad-cam-plus-plus"
    assert found.method == "grad-cam++"


def test_a_network_of_one_pixel() -> None:
    graph = network((1, 1, 1), [("conv", "conv2d", {"out_channels": 2, "kernel_size": 1})])
    found = attribution_board(
        "saliency", "gradient", Attribution(np.ones((1, 1, 1, 1)), True), subjects(1, (1, 1)), np.ones(1), graph
    )
    assert found.sheets[0].rows[0].tiles[1].values.shape == (1, 1)
