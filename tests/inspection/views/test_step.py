from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, LossObjective
from cnncli.errors import UsageError
from cnncli.graph import Model
from cnncli.inspection.descent import Descent, descend
from cnncli.inspection.views.board import Board, Row
from cnncli.inspection.views.pick import Pick
from cnncli.inspection.views.step import OVERVIEW_CHANNELS, step_board, step_view
from cnncli.losses import CrossEntropy
from cnncli.training.optimizers import SGD
from tests.inspection.lots import samples
from tests.inspection.views.makers import SUBJECT, batch

LABELS = np.array([0, 1, 2])


@pytest.fixture(scope="module")
def descent(model: Model) -> Descent:
    after = Model.create(model.graph, seed=3, dtype=np.float64)
    with Executor(after) as executor:
        return descend(
            executor,
            samples(batch(), LABELS),
            lambda indices: LossObjective.of(CrossEntropy(), model.graph, LABELS[indices]),
            lambda flat, gradient, step: SGD(lr=0.05).update(flat, gradient, {}, step),
        )


def rows(board: Board, stem: str) -> dict[tuple[str, ...], Row]:
    (sheet,) = [sheet for sheet in board.sheets if sheet.stem == stem]
    return {row.title[:2]: row for row in sheet.rows}


def test_every_tensor_has_its_part_of_the_prediction(descent: Descent, model: Model) -> None:
    view = step_view(descent, model, SUBJECT, "sgd with lr 0.05", plain=True)
    assert [f"{move.node}.{move.key}" for move in view.moves] == [
        "conv1.weight",
        "conv1.bias",
        "linear1.weight",
        "linear1.bias",
    ]
    assert sum(move.predicted for move in view.moves) == pytest.approx(view.shares[0].predicted, rel=1e-12)
    assert view.gradient_norm == pytest.approx(np.linalg.norm(descent.gradient))
    for move in view.moves:
        assert move.change_norm == pytest.approx(0.05 * move.gradient_norm)
        assert move.predicted == pytest.approx(-0.05 * move.gradient_norm**2)
        norm = np.linalg.norm(model.parameters[move.node][move.key].ravel())
        assert move.weight_norm == pytest.approx(norm)
        assert move.ratio == (pytest.approx(move.change_norm / norm) if norm else None)


def test_before_after_and_the_difference_have_the_same_channels(descent: Descent, model: Model) -> None:
    found = rows(step_board(descent, model, SUBJECT), "01_conv1__step")
    assert list(found) == [
        ("activation a", "before"),
        ("activation a", "after"),
        ("activation a", "after - before"),
        ("dL/da", "before"),
        ("dL/da", "after"),
        ("dL/da", "after - before"),
        ("weight", "before"),
        ("weight", "change"),
    ]
    assert len({row.channels for row in found.values()}) == 1
    for what in ("activation a", "dL/da"):
        before, after, change = (found[what, when] for when in ("before", "after", "after - before"))
        assert before.statistics == after.statistics  # one scale for both
        for triple in zip(before.tiles, after.tiles, change.tiles, strict=True):
            first, second, difference = (tile.values for tile in triple)
            np.testing.assert_array_equal(second - first, difference)
    change = np.stack([tile.values for tile in found["weight", "change"].tiles])
    channels = list(found["weight", "change"].channels)
    np.testing.assert_allclose(change, -0.05 * descent.before.parameter_gradients["conv1"]["weight"][channels, 0])


def test_the_first_sheet_has_what_changes_in_the_layers_with_weights(descent: Descent, model: Model) -> None:
    first = step_board(descent, model, SUBJECT).sheets[0]
    assert first.stem == "00_overview__step"
    assert first.across
    assert [row.title[:3] for row in first.rows] == [
        (layer, *what)
        for layer in ("conv1", "linear1")
        for what in (
            ("activation a", "before"),
            ("activation a", "after"),
            ("activation a", "after - before"),
            ("weight", "change"),
        )
    ]
    assert {len(row.tiles) for row in first.rows if row.node == "conv1"} == {OVERVIEW_CHANNELS}
    assert first.notes == ()


def test_what_stays_the_same_is_drawn_once(descent: Descent, model: Model) -> None:
    found = rows(step_board(descent, model, SUBJECT), "00_input__step")
    assert next(iter(found)) == ("activation a", "before and after the step")
    assert ("dL/da", "after") in found


def test_layers_and_channels_are_picked(descent: Descent, model: Model) -> None:
    board = step_board(descent, model, SUBJECT, Pick(("conv1",), channels=(2,)))
    assert [sheet.stem for sheet in board.sheets] == ["01_conv1__step"]
    assert {row.channels for row in board.sheets[0].rows} == {(2,)}
    assert not any(row.ranked for row in board.sheets[0].rows)
    assert "04_flatten1__step" not in [sheet.stem for sheet in step_board(descent, model, SUBJECT).sheets]
    with pytest.raises(UsageError, match="nothing to draw"):
        step_board(descent, model, SUBJECT, Pick(("conv1",), channels=(77,)))
