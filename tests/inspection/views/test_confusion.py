from __future__ import annotations

import numpy as np
import pytest

from cnncli.inspection.views.confusion import ConfusionView, Tally

TRUE = np.array([0, 0, 1, 2, 2, 2, 2, 0])
PREDICTED = np.array([0, 1, 1, 0, 2, 0, 1, 0])
NAMES = ["cat", "dog", "fox", "owl"]


def view(tally: Tally, names: list[str] | None = NAMES, **options: int) -> ConfusionView:
    return tally.view("test", lambda index: f"test:{index}", names, **options)


def tallied(*edges: int) -> Tally:
    """In batches that begin at these samples."""
    tally = Tally(4)
    for some in np.split(np.arange(8), edges):
        tally.add(some, TRUE[some], PREDICTED[some])
    return tally


def test_rows_are_true_and_columns_predicted() -> None:
    found = view(tallied())
    assert found.matrix == ((2, 1, 0, 0), (0, 1, 0, 0), (2, 1, 1, 0), (0, 0, 0, 0))
    assert (found.counted, found.accuracy, found.samples) == (8, 0.5, "test")


def test_the_scores_of_each_class() -> None:
    cat, dog, fox, owl = view(tallied()).classes
    assert (cat.class_, cat.name, cat.true, cat.predicted, cat.right) == (0, "cat", 3, 4, 2)
    assert (cat.precision, cat.recall, cat.f1) == (2 / 4, 2 / 3, 4 / 7)
    assert (dog.precision, dog.recall, dog.f1) == (1 / 3, 1, 0.5)
    assert (fox.precision, fox.recall, fox.f1) == (1, 1 / 4, 2 / 5)
    assert (owl.true, owl.precision, owl.recall, owl.f1) == (0, None, None, None)


def test_the_most_confused_pairs_with_samples_to_look_at() -> None:
    first, *others = view(tallied()).pairs
    assert (first.true, first.predicted, first.count, first.share) == ("fox", "cat", 2, 0.5)
    assert first.examples == ("test:3", "test:5")
    assert [(pair.true, pair.predicted, pair.examples) for pair in others] == [
        ("cat", "dog", ("test:1",)),
        ("fox", "dog", ("test:6",)),
    ]
    assert [pair.predicted for pair in view(tallied(), top=2).pairs] == ["cat", "dog"]
    assert view(tallied(), top=0).pairs == ()


@pytest.mark.parametrize("edges", [(3,), (1, 2, 7), tuple(range(1, 8))])
def test_batches_do_not_matter(edges: tuple[int, ...]) -> None:
    assert view(tallied(*edges)) == view(tallied())


def test_of_many_samples_of_a_pair_the_first_are_named() -> None:
    tally = Tally(2)
    for start in (0, 50):
        tally.add(np.arange(start, start + 50), np.zeros(50, int), np.ones(50, int))
    (pair,) = view(tally, ["a", "b"]).pairs
    assert (pair.count, pair.examples) == (100, ("test:0", "test:1", "test:2"))


def test_positions_count_one_by_one_and_name_their_sample_once() -> None:
    tally = Tally(2)
    true = np.zeros((2, 2, 3), int)
    predicted = true.copy()
    predicted[1, 0, :2] = 1
    tally.add(np.array([4, 5]), true, predicted)
    found = view(tally, None)
    assert found.matrix == ((10, 2), (0, 0))
    assert [(pair.true, pair.predicted, pair.examples) for pair in found.pairs] == [("0", "1", ("test:5",))]


def test_a_single_class_cannot_be_confused() -> None:
    tally = Tally(1)
    tally.add(np.arange(3), np.zeros(3, int), np.zeros(3, int))
    found = view(tally, ["all"])
    assert (found.accuracy, found.pairs, found.classes[0].f1) == (1.0, (), 1.0)
