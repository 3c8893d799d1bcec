from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnncli.inspection.views.mistakes import Mistake, MistakesView, largest

WRONG = Mistake("test:7", 3.5, "Shirt", "Coat", False, 0.978, 0.02, np.zeros((2, 2), np.uint8))


@pytest.mark.parametrize(
    ("losses", "count", "places"),
    [
        ([1.0, 3.0, 2.0], 2, [1, 2]),
        ([1.0, 3.0, 2.0], 9, [1, 2, 0]),
        ([2.0, 1.0, 2.0, 2.0], 2, [0, 2]),
        ([5.0, np.nan, np.inf, 6.0], 3, [1, 2, 3]),
        ([], 3, []),
    ],
)
def test_the_largest_come_first(losses: list[float], count: int, places: list[int]) -> None:
    assert largest(np.array(losses), count) == places


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (WRONG, "test:7: Shirt > Coat (98%)"),
        (replace(WRONG, predicted="Shirt", right=True), "test:7: Shirt (98%)"),
        (replace(WRONG, probability=None), "test:7: Shirt > Coat"),
        (replace(WRONG, true=None), "test:7"),
    ],
)
def test_what_is_said_of_one(mistake: Mistake, text: str) -> None:
    assert mistake.label() == text
    assert mistake.label(brief=True) == text.removesuffix(" (98%)")


def test_a_board_of_what_can_be_looked_at() -> None:
    view = MistakesView("test", 1234, 0.25, 17, (WRONG, replace(WRONG, input="x", picture=None)), 0)
    (sheet,) = view.board().sheets
    assert [tile.label for tile in sheet.rows[0].tiles] == ["test:7: Shirt > Coat (98%)"]
    assert sheet.notes == ("1,234 samples, mean loss 0.25, 17 taken for another class",)
    assert replace(view, mistakes=()).board().sheets == ()
    assert replace(view, wrong=None).summary == "1,234 samples, mean loss 0.25"
