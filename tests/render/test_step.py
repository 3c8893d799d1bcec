from __future__ import annotations

from dataclasses import replace

import pytest

from cnncli.inspection.descent import Change
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.step import Move, StepView
from cnncli.render.terminal.step import step
from tests.render.makers import lines

SHARES = tuple(Change.of(share, -0.2 * share, -0.2 * share + 0.04 * share**2) for share in (1.0, 0.5))
VIEW = StepView(
    subject=Subject("train:3", true="Dress", predicted="Dress", target="cross_entropy loss"),
    optimizer="sgd with lr 0.001",
    plain=True,
    losses=(0.5, 0.34),
    steps=SHARES[:1],
    shares=SHARES,
    gradient_norm=14.14,
    moves=(
        Move("conv1", "weight", (6, 1, 5, 5), 3.5, 3.0, 0.003, 0.003 / 3.5, -0.15),
        Move("conv1", "bias", (6,), 0.0, 2.0, 0.002, None, -0.05),
    ),
)


def test_the_whole_view() -> None:
    assert lines(step(VIEW), width=100) == [
        "1 step of sgd with lr 0.001   input train:3   true Dress   predicted Dress",
        "target cross_entropy loss",
        "",
        "loss              0.500000 before, 0.340000 after",
        "predicted change  -0.200000   -lr |g|^2, |g| = 14.14",
        "actual change     -0.160000   0.8000 of the predicted",
        "",
        "share of the way  predicted    actual     rest  actual / predicted",
        "──────────────────────────────────────────────────────────────────",
        "all                 -0.2000   -0.1600  0.04000             0.80000",
        "1/2                 -0.1000  -0.09000  0.01000             0.90000",
        "predicted: the first-order term. The rest is of second order: for half of the way",
        "it is a quarter, and the ratio goes to 1. One that does not would mean a wrong",
        "gradient; one below 0 means that the step is too long.",
        "",
        "parameter     shape      |W|  |dL/dW|  |change|  |change|/|W|  of the predicted",
        "─────────────────────────────────────────────────────────────────────────────────────────────",
        "conv1.weight  6x1x5x5  3.500        3  0.003000      8.571e-4             75.0%  █████████",
        "conv1.bias    6            0        2  0.002000             -             25.0%  ███",
    ]


def test_other_optimizers_and_several_steps() -> None:
    several = replace(VIEW, optimizer="adam with lr 0.001", plain=False, losses=(0.5, 0.4, 0.3), steps=SHARES)
    text = lines(step(several), width=80)
    assert text[0].startswith("2 steps of adam with lr 0.001")
    assert "predicted change  -0.200000   <g, change>" in text
    place = text.index("step  loss after  predicted    actual   ratio")
    assert [line.split()[:2] for line in text[place + 2 : place + 4]] == [["1", "0.4000"], ["2", "0.3000"]]


def test_where_nothing_is_predicted() -> None:
    still = Change.of(1.0, 0.0, 0.0)
    moves = (replace(VIEW.moves[0], gradient_norm=0.0, change_norm=0.0, predicted=0.0),)
    text = lines(step(replace(VIEW, steps=(still,), shares=(still,), losses=(0.5, 0.5), moves=moves)), width=80)
    assert "actual change     0" in text


@pytest.mark.parametrize(("actual", "told"), [(-0.06, False), (0.5, True), (float("nan"), True)])
def test_a_step_that_is_far_too_long_says_nothing_of_the_gradient(actual: float, told: bool) -> None:
    far = replace(VIEW, shares=(SHARES[0], Change.of(1 / 8, -0.05, actual)))
    text = " ".join(lines(step(far), width=100))
    assert ("The step is far too long for it: with 1/8 of the way" in text) == told
    assert ("One that does not would mean a wrong" in text) != told


def test_it_fits() -> None:
    for width in range(40, 110, 10):
        assert max(map(len, lines(step(VIEW), width=width))) <= width
