"""Which moment of a training is the best."""

from __future__ import annotations

import json

import pytest

from cnncli.training.history import Best, Record, best_of, rows_of
from cnncli.training.metrics import TASKS, Scores
from cnncli.training.stopping import monitored


def records(*scores: tuple[float, float | None], split: str = "val") -> list[Record]:
    """From (loss, accuracy) of each."""
    found = []
    for number, (loss, accuracy) in enumerate(scores, start=1):
        judged = Scores(loss, {} if accuracy is None else {"accuracy": accuracy})
        other = Scores(0.0, judged.metrics)
        pair = (other, judged) if split == "val" else (judged, None)
        found.append(Record(number, 10 * number, 0.1, *pair, 1.0, 100.0, 0.01))
    return found


@pytest.mark.parametrize(
    ("task", "scores", "expected"),
    [
        ("classification", [(0.5, 0.8), (0.9, 0.9), (0.4, 0.7)], 2),  # the highest accuracy
        ("classification", [(0.5, 0.9), (0.4, 0.9), (0.6, 0.9)], 2),  # at equal accuracy the lowest loss
        ("classification", [(0.5, 0.9), (0.5, 0.9)], 1),  # of equals the first
        ("multi-label", [(0.5, 0.9), (0.4, 0.8)], 2),  # the lowest loss
        ("regression", [(0.5, None), (0.4, None), (0.6, None)], 2),
    ],
)
@pytest.mark.parametrize("split", ["val", "train"])
def test_best(task: str, scores: list[tuple[float, float | None]], expected: int, split: str) -> None:
    loss, accuracy = scores[expected - 1]
    monitor = TASKS[task].monitor
    value = loss if monitor == "loss" else accuracy
    best = best_of(records(*scores, split=split), split, TASKS[task])  # type: ignore[arg-type]
    assert best == Best(expected, 10 * expected, split, loss, accuracy, monitor, value)  # type: ignore[arg-type]


def test_moments_without_validation_are_not_compared_with_those_that_have_one() -> None:
    with_val, without = records((0.5, 0.8)), records((0.1, 0.99), split="train")
    best = best_of([*without, *with_val], "val", TASKS["classification"])
    assert best is not None
    assert (best.split, best.accuracy) == ("val", 0.8)


def test_what_was_not_validated_is_not_judged() -> None:
    """Or a schedule would compare what cannot be compared."""
    without, with_val = records((0.1, 0.99), split="train"), records((0.5, 0.8))
    task = TASKS["classification"]
    assert monitored(without, "val", task) == []
    assert best_of(without, "val", task) is None
    assert monitored([*without, *with_val], "val", task) == [-0.8]
    assert monitored([*without, *with_val], "train", task) == [-0.99, -0.8]


def test_rows_have_the_same_columns() -> None:
    rows = rows_of([*records((0.1, 0.99), split="train"), *records((0.5, 0.8))])
    assert list(rows[0]) == list(rows[1])
    assert (rows[0]["val_loss"], rows[1]["val_loss"]) == (None, 0.5)
    assert not any(name.startswith("val") for name in rows_of(records((0.1, 0.99), split="train"))[0])


def test_no_epoch_no_best() -> None:
    assert best_of([], "val", TASKS["regression"]) is None


@pytest.mark.parametrize("split", ["val", "train"])
def test_records_survive_json(split: str) -> None:
    for record in records((1 / 3, 0.1), (0.2, None), split=split):
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
