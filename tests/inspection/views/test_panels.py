from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, Recording, record_forward
from cnncli.errors import UsageError
from cnncli.graph import INPUT, Model, build
from cnncli.inspection.subject import Subject
from cnncli.inspection.views import panels
from cnncli.inspection.views.board import Board, Row
from cnncli.inspection.views.pick import Pick
from cnncli.layers import LAYERS
from cnncli.render.document import plain
from tests.inspection.views.makers import SUBJECT, chain


def rows_of(board: Board) -> list[Row]:
    """One a sheet."""
    return [row for sheet in board.sheets for row in sheet.rows]


def stacked(row: Row) -> np.ndarray:
    return np.stack([tile.values for tile in row.tiles])


def test_feature_maps_leave_out_what_repeats_its_input(model: Model, forward: Recording) -> None:
    rows = rows_of(panels.feature_maps(forward, model.graph, SUBJECT))
    assert [(row.index, row.node) for row in rows] == [
        (0, INPUT),
        (1, "conv1"),
        (2, "relu1"),
        (3, "pool1"),
        (6, "linear1"),
    ]
    conv, relu, linear = rows[1], rows[2], rows[4]
    assert conv.title == ("conv1", "conv2d", "activation", "4x4x4")
    assert conv.signed
    assert not relu.signed
    assert conv.array is not None
    for tile in conv.tiles:
        assert tile.label == f"c0{tile.channel}"
        assert np.array_equal(tile.values, conv.array[tile.channel])
    assert [tile.values.shape for tile in linear.tiles] == [(1, 3)]
    assert linear.channels == ()


def test_sheets_are_named_by_place_layer_and_what_they_show(model: Model, forward: Recording) -> None:
    board = panels.feature_maps(forward, model.graph, SUBJECT)
    stems = ["00_input", "01_conv1", "02_relu1", "03_pool1", "06_linear1"]
    assert [sheet.stem for sheet in board.sheets] == [f"{stem}__activation" for stem in stems]
    assert all(sheet.title == () for sheet in board.sheets)
    single = panels.feature_maps(forward, model.graph, SUBJECT, Pick(("conv1",), (3,)))
    assert [sheet.stem for sheet in single.sheets] == ["01_conv1_c03__activation"]


def test_scripts_find_what_they_need(model: Model, forward: Recording) -> None:
    document = plain(panels.feature_maps(forward, model.graph, SUBJECT, Pick(("conv1",), (3, 0))))
    (row,) = document["sheets"][0]["rows"]
    expected = {"index": 1, "node": "conv1", "type": "conv2d", "what": "activation", "shape": [4, 4, 4], "total": 4}
    assert {key: row[key] for key in expected} == expected
    assert [tile["channel"] for tile in row["tiles"]] == [3, 0]
    assert row["statistics"]["size"] == 64
    assert "array" not in row


def test_a_layer_asked_for_by_name_is_drawn_even_if_it_repeats(model: Model, forward: Recording) -> None:
    rows = rows_of(panels.feature_maps(forward, model.graph, SUBJECT, Pick(nodes=("flatten1",))))
    assert [row.node for row in rows] == ["flatten1"]


def test_branches_that_meet_are_no_repetition() -> None:
    layers = LAYERS["relu"](), LAYERS["tanh"](), LAYERS["add"](), LAYERS["concat"]()
    inputs = (INPUT,), (INPUT,), ("a", "b"), ("a", "c")
    graph = build((1, 2, 2), list(zip("abcd", layers, inputs, strict=True)))
    with Executor(Model.create(graph)) as executor:
        recording = record_forward(executor, np.ones((1, 1, 2, 2), np.float32))
    rows = rows_of(panels.feature_maps(recording, graph, Subject("x")))
    assert [row.node for row in rows] == [INPUT, "a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("pick", "channels"),
    [
        (Pick(top=None), (0, 1, 2, 3)),
        (Pick(channels=(3, 1)), (3, 1)),
        (Pick(channels=(2,), top=None), (2,)),
    ],
)
def test_channels_given_or_all(model: Model, forward: Recording, pick: Pick, channels: tuple[int, ...]) -> None:
    rows = rows_of(panels.feature_maps(forward, model.graph, SUBJECT, pick))
    drawn = next(row for row in rows if row.node == "conv1")
    assert drawn.channels == channels
    assert not drawn.ranked


def test_layers_with_fewer_channels_are_left_out(model: Model, forward: Recording) -> None:
    rows = rows_of(panels.feature_maps(forward, model.graph, SUBJECT, Pick(channels=(2,))))
    assert [row.node for row in rows] == ["conv1", "relu1", "pool1", "linear1"]


def test_the_strongest_channels_come_first(model: Model, forward: Recording) -> None:
    (picked,) = rows_of(panels.feature_maps(forward, model.graph, SUBJECT, Pick(("conv1",), top=2)))
    strengths = np.abs(forward.activations["conv1"][1]).mean(axis=(1, 2))
    assert list(picked.channels) == np.argsort(-strengths)[:2].tolist()
    assert picked.total == 4
    assert picked.ranked


def test_filters_of_convolutions_and_of_what_follows_a_flattened_image(model: Model) -> None:
    rows = rows_of(panels.filters(model, Pick(top=None)))
    assert [(row.node, row.what, stacked(row).shape) for row in rows] == [
        ("conv1", "weight", (4, 3, 3)),
        ("linear1", "weight", (3, 4, 2, 2)),
    ]
    assert all(row.signed for row in rows)
    assert np.array_equal(stacked(rows[1]).reshape(3, 16), model.parameters["linear1"]["weight"])


def test_the_weights_between_vectors_are_one_map() -> None:
    graph = chain((5,), ("a", "linear", {"out_features": 4}), ("b", "relu", {}), ("c", "linear", {"out_features": 2}))
    rows = rows_of(panels.filters(Model.create(graph)))
    assert [stacked(row).shape for row in rows] == [(1, 4, 5), (1, 2, 4)]
    assert [row.channels for row in rows] == [(), ()]


def test_of_many_input_channels_the_strongest_are_kept_in_order() -> None:
    model = Model.create(chain((5, 4, 4), ("conv", "conv2d", {"out_channels": 2, "kernel_size": 3})))
    weight = model.parameters["conv"]["weight"]
    weight[...] = np.array([1, 5, 2, 4, 3])[:, None, None]
    (row,) = rows_of(panels.filters(model, Pick(top=3)))
    assert row.tiles[0].values[:, 0, 0].tolist() == [5, 4, 3]
    assert row.inside == 5


def test_gradients_show_values_and_weights_in_the_order_of_the_network(model: Model, backward: Recording) -> None:
    rows = rows_of(panels.gradients(backward, model, SUBJECT))
    assert [(row.node, row.what) for row in rows][:3] == [
        (INPUT, "gradient"),
        ("conv1", "gradient"),
        ("conv1", "weight-gradient"),
    ]
    assert all(row.signed for row in rows)


def test_nan_is_told_by_place(model: Model, forward: Recording) -> None:
    broken = {name: array.copy() for name, array in forward.activations.items()}
    broken["conv1"][1, 0, 0, 0] = np.nan
    broken["relu1"][0, 0, 0, 0] = np.inf  # of a sample that is not shown
    view = panels.feature_maps(Recording(forward.output, broken), model.graph, SUBJECT)
    assert view.nonfinite == ("conv1 (activation)",)


@pytest.mark.parametrize(
    ("pick", "message"),
    [
        (Pick(nodes=("conv2",)), "--layer conv2: the network has no such layer; did you mean 'conv1'?"),
        (
            Pick(nodes=("zzz",)),
            "--layer zzz: the network has no such layer; "
            "there are input, conv1, relu1, pool1, flatten1, dropout1, linear1",
        ),
        (Pick(("conv1",), (3, 7, 9)), "--channels: there is no channel 7; conv1 has 4, counted from 0"),
        (Pick(channels=(99,)), "--channels: there is no channel 99; conv1 has 4, the most of all, counted from 0"),
        (Pick(("linear1",), (4,)), "--channels: there is no channel 4; linear1 has 1, counted from 0"),
    ],
)
def test_what_is_not_there(model: Model, forward: Recording, pick: Pick, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        panels.feature_maps(forward, model.graph, SUBJECT, pick)
    assert str(caught.value) == message


def test_a_network_without_weights_has_no_filters() -> None:
    with pytest.raises(UsageError, match="there is nothing in this network that 'filters' could draw"):
        panels.filters(Model.create(chain((1, 2, 2), ("a", "relu", {}))))
