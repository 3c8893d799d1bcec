"""Which epoch is the best."""

from __future__ import annotations

import json

import pytest

from cnncli.training.history import Best, Epoch, best_of
from cnncli.training.metrics import TASKS, Scores


def epochs(*scores: tuple[float, float | None], split: str = "val") -> list[Epoch]:
    """From (loss, accuracy) of each."""
    found = []
    for number, (loss, accuracy) in enumerate(scores, start=1):
        judged = Scores(loss, {} if accuracy is None else {"accuracy": accuracy})
        other = Scores(0.0, judged.metrics)
        pair = (other, judged) if split == "val" else (judged, None)
        found.append(Epoch(number, 10 * number, 0.1, *pair, 1.0, 100.0))
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
    assert best_of(epochs(*scores, split=split), TASKS[task]) == Best(expected, split, loss, accuracy)  # type: ignore[arg-type]


def test_no_epoch_no_best() -> None:
    assert best_of([], TASKS["regression"]) is None


@pytest.mark.parametrize("split", ["val", "train"])
def test_records_survive_json(split: str) -> None:
    for epoch in epochs((1 / 3, 0.1), (0.2, None), split=split):
        assert Epoch.from_json(json.loads(json.dumps(epoch.to_json()))) == epoch
