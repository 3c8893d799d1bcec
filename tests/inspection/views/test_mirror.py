from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, LogitObjective, Recording, record_backward
from cnncli.errors import UsageError
from cnncli.graph import Graph, Model, build
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row
from cnncli.inspection.views.flow import BackwardView, backward_view, mirrored_ranking
from cnncli.inspection.views.mirror import ORDER, OVERVIEW_CHANNELS, OVERVIEW_LAYERS, mirror_board
from cnncli.inspection.views.pick import Pick
from cnncli.layers import LAYERS
from tests.inspection.views.makers import SUBJECT


@pytest.fixture(scope="module")
def view(model: Model, backward: Recording) -> BackwardView:
    return backward_view(backward, model, SUBJECT)


def rows(board: Board, stem: str) -> list[Row]:
    (sheet,) = [sheet for sheet in board.sheets if sheet.stem == stem]
    return list(sheet.rows)


def test_the_gradient_stands_below_the_activation_of_the_same_channels(model: Model, view: BackwardView) -> None:
    activation, gradient, weights = rows(mirror_board(view, model.graph), "01_conv1__mirror")
    assert activation.channels == gradient.channels == weights.channels == view.layers[1].ranked
    assert [row.what for row in (activation, gradient, weights)] == ["activation", "gradient", "weight-gradient"]
    for tile, below, filter_ in zip(activation.tiles, gradient.tiles, weights.tiles, strict=True):
        assert tile.label == below.label == filter_.label
        np.testing.assert_array_equal(tile.values, view.layers[1].activation[tile.channel])
        np.testing.assert_array_equal(below.values, view.layers[1].values[tile.channel])
        np.testing.assert_array_equal(filter_.values.squeeze(), view.parameters[0].values[tile.channel, 0])


def test_channels_are_ranked_by_activation_times_gradient(view: BackwardView) -> None:
    conv = view.layers[1]
    strength = np.abs(conv.activation * conv.values).mean(axis=(1, 2))
    assert list(conv.ranked) == np.argsort(-strength, kind="stable").tolist()
    huge = np.full((2, 2, 2), 1e300)
    assert mirrored_ranking(huge, np.stack([huge[0] * 0, huge[1]])) == (1, 0)


def test_the_first_sheet_is_of_the_whole_network(model: Model, view: BackwardView) -> None:
    first, *others = mirror_board(view, model.graph).sheets
    assert first.stem == "00_overview__mirror"
    assert [sheet.stem for sheet in others] == [
        "00_input__mirror",
        "01_conv1__mirror",
        "02_relu1__mirror",
        "03_pool1__mirror",
        "06_linear1__mirror",
    ]
    assert first.across
    assert not any(sheet.across for sheet in others)
    expected = {"input": 2, "conv1": 3, "relu1": 2, "pool1": 2, "linear1": 3}
    assert [row.node for row in first.rows] == [name for name, count in expected.items() for _ in range(count)]
    conv = [row for row in first.rows if row.node == "conv1"]
    assert [row.what for row in conv] == ["activation", "gradient", "weight-gradient"]
    assert {row.channels for row in conv} == {view.layers[1].ranked[:OVERVIEW_CHANNELS]}
    assert first.notes == (ORDER,)


def test_of_many_named_channels_the_first_sheet_has_the_first(model: Model, view: BackwardView) -> None:
    first = mirror_board(view, model.graph, Pick(channels=(3, 0, 1))).sheets[0]
    assert {row.channels for row in first.rows if row.node == "conv1"} == {(3, 0)}
    assert first.notes == ()


def test_what_only_passes_on_is_left_out_unless_it_is_all_there_is(model: Model, view: BackwardView) -> None:
    assert [row.name for row in view.distinct] == ["input", "conv1", "relu1", "pool1", "linear1"]
    flat = BackwardView(SUBJECT, None, view.layers[4:5], ())
    assert [row.name for row in flat.distinct] == ["flatten1"]


def test_named_channels_are_drawn_in_their_order(model: Model, view: BackwardView) -> None:
    board = mirror_board(view, model.graph, Pick(channels=(3, 0)))
    for row in rows(board, "01_conv1__mirror"):
        assert (row.channels, row.ranked) == ((3, 0), False)
    board = mirror_board(view, model.graph, Pick(top=None))
    assert all(row.channels == (0, 1, 2, 3) for row in rows(board, "01_conv1__mirror"))
    conv_only = BackwardView(SUBJECT, None, view.layers[1:2], view.parameters[:2])
    with pytest.raises(UsageError, match="--channels: no layer has the channel 9"):
        mirror_board(conv_only, model.graph, Pick(channels=(9,)))


def test_the_features_of_a_dense_layer_have_their_filters(model: Model, view: BackwardView) -> None:
    activation, gradient, weights = rows(mirror_board(view, model.graph, Pick(top=2)), "06_linear1__mirror")
    assert (activation.channels, gradient.channels) == ((), ())
    products = np.abs(view.layers[-1].activation * view.layers[-1].values)
    assert weights.channels == tuple(np.argsort(-products, kind="stable")[:2].tolist())
    assert weights.tiles[0].values.shape == (4, 2, 2)  # what it reads is the flattened 4x2x2


def test_one_of_several_samples_is_told(model: Model, view: BackwardView, backward: Recording) -> None:
    assert mirror_board(view, model.graph).notes == (
        "a and dL/da are of the first of 3 samples, x; dL/dW is of all",
        "L is of all: where it is a mean, dL/da is 1/3 of that of the sample's own loss",
    )
    alone = backward_view(backward, model, Subject("x"))
    assert mirror_board(alone, model.graph).notes == ()


def deep() -> Graph:
    layers = [("conv0", LAYERS["conv2d"](out_channels=2, kernel_size=3, padding=1), ("input",))]
    for index in range(1, 30):
        layers.append((f"relu{index}", LAYERS["tanh"](), (layers[-1][0],)))
        layers.append((f"conv{index}", LAYERS["conv2d"](out_channels=2, kernel_size=3, padding=1), (layers[-1][0],)))
    return build((1, 4, 4), layers)


def test_of_many_layers_some_tell_enough() -> None:
    model = Model.create(deep(), dtype=np.float64)
    with Executor(model) as executor:
        objective = LogitObjective("conv29", np.array([[0, 0, 0]]))
        recording = record_backward(executor, np.ones((1, 1, 4, 4)), objective)
    view = backward_view(recording, model, Subject("x"))
    assert len(view.distinct) == 60
    some = [row.name for row in view.telling(31)]
    assert some == ["input", *(f"conv{index}" for index in range(30))]
    few = [row.name for row in view.telling(OVERVIEW_LAYERS)]
    assert (len(few), few[0], few[-1]) == (OVERVIEW_LAYERS, "input", "conv29")
    first = mirror_board(view, model.graph).sheets[0]
    assert first.notes == (ORDER, "12 of 60 layers; the others have sheets of their own")
