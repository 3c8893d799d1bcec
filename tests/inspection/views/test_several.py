from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Recording
from cnncli.graph import Model
from cnncli.inspection.subject import Subject
from cnncli.inspection.views import panels
from cnncli.inspection.views.pick import Pick
from cnncli.inspection.views.several import MOST, with_all_inputs

SUBJECTS = tuple(
    Subject(f"test:{index}", picture=np.full((6, 6), index, np.uint8), true="a", predicted="b") for index in range(3)
)


@pytest.mark.parametrize("pick", [Pick(), Pick(top=2), Pick(top=None), Pick(channels=(3, 1))], ids=str)
def test_every_input_has_a_row_with_the_same_channels(model: Model, forward: Recording, pick: Pick) -> None:
    first = panels.feature_maps(forward, model.graph, SUBJECTS[0], pick)
    board = with_all_inputs(first, forward.activations, model.graph, SUBJECTS, pick)
    assert [sheet.stem for sheet in board.sheets] == [sheet.stem for sheet in first.sheets]
    (sheet,) = [sheet for sheet in board.sheets if sheet.rows[0].node == "conv1"]
    assert [row.title for row in sheet.rows] == [(f"test:{index}", "true a", "predicted b") for index in range(3)]
    assert sheet.title == ("conv1", "conv2d", "activation", "4x4x4")
    assert len({row.channels for row in sheet.rows}) == 1
    assert len({row.statistics for row in sheet.rows}) == 1
    for index, row in enumerate(sheet.rows):
        picture, *maps = row.tiles
        assert picture.is_picture
        assert (picture.values == index).all()
        for tile in maps:
            np.testing.assert_array_equal(tile.values, forward.activations["conv1"][index, tile.channel])
    if pick.top == 2:
        strengths = np.abs(forward.activations["conv1"]).mean(axis=(0, 2, 3))
        assert sheet.rows[0].channels == tuple(np.argsort(-strengths, kind="stable")[:2].tolist())


def test_one_input_is_left_as_it_is(model: Model, forward: Recording) -> None:
    board = panels.feature_maps(forward, model.graph, SUBJECTS[0])
    assert with_all_inputs(board, forward.activations, model.graph, SUBJECTS[:1], Pick()) is board


def test_the_gradients_of_weights_are_of_all_inputs_together(model: Model, backward: Recording) -> None:
    first = panels.gradients(backward, model, SUBJECTS[0])
    board = with_all_inputs(first, backward.gradients, model.graph, SUBJECTS, Pick())
    counts = {sheet.stem: len(sheet.rows) for sheet in board.sheets}
    assert counts["01_conv1__gradient"] == 3
    assert counts["01_conv1__weight-gradient"] == 1


def test_not_too_many_are_drawn(model: Model, forward: Recording) -> None:
    many = {name: np.concatenate([array] * 10) for name, array in forward.activations.items()}
    board = with_all_inputs(
        panels.feature_maps(forward, model.graph, SUBJECTS[0]), many, model.graph, SUBJECTS * 10, Pick()
    )
    assert {len(sheet.rows) for sheet in board.sheets} == {MOST}
    assert board.notes == ("the first 12 of 30 inputs are drawn",)
