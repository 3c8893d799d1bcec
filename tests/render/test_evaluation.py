"""The table of `cnncli eval`."""

from __future__ import annotations

import pytest

from cnncli.render.terminal.evaluation import LISTED, Evaluation
from cnncli.training.metrics.report import ClassScores, OutputScores
from tests.render.makers import lines

FACTS = [("samples", "1,000"), ("loss", "0.3712"), ("accuracy", "87.25%"), ("balanced_accuracy", "87.20%")]


def many(count: int) -> list[ClassScores]:
    """The later the better."""
    return [ClassScores(index, f"class {index}", 0.5, 0.25, index / count, 1200, 30) for index in range(count)]


@pytest.mark.parametrize("width", [40, 80])
def test_it_fits(width: int) -> None:
    classes = [
        ClassScores(0, "0", 1.0, 0.9996, 1.0, 100, 100),
        ClassScores(1, "Ankle boot", 0.5, 0.25, 0.333, 1200, 30),
    ]
    shown = lines(Evaluation("test", FACTS, classes, []), width=width)
    assert max(map(len, shown)) <= width
    assert shown[0].startswith("test   samples 1,000")
    header, _, first, second = (line.split() for line in shown[-4:])
    assert header[:4] == ["class", "precision", "recall", "F1"]
    assert first[:4] == ["0", "100%", ">99.9%", "100%"]
    assert second[:6] == ["1", "Ankle", "boot", "50.0%", "25.0%", "33.3%"]
    assert ("support" in header) == (width == 80)


def test_of_many_classes_the_worst_are_listed() -> None:
    shown = lines(Evaluation("test", FACTS, many(100), []), width=80)
    assert f"the {LISTED} of 100 classes with the lowest F1; --json has all" in shown
    assert [line.split()[1] for line in shown[-LISTED:]] == ["class"] * LISTED
    assert shown[-1].split()[0] == str(LISTED - 1)


def test_of_many_outputs_the_worst_are_listed() -> None:
    outputs = [OutputScores(index, 0.5, 0.75, 1 - index) for index in range(40)]
    shown = lines(Evaluation("test", FACTS, [], outputs), width=80)
    assert f"the {LISTED} of 40 outputs with the lowest R2; --json has all" in shown
    assert shown[-LISTED].split() == ["39", "0.5000", "0.7500", "-38"]
