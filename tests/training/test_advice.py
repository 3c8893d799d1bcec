"""Each warning comes with what it is about, and none with a training that is well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnncli.losses import LOSSES
from cnncli.training.advice import Advice, advise
from cnncli.training.advice.advise import LOOKS
from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.metrics import Scores, Task, task_of

TASK = task_of(LOSSES["cross_entropy"](), np.arange(1000) % 10, (10,))
RARE = task_of(LOSSES["cross_entropy"](), (np.arange(1000) % 20 == 0).astype(np.int64), (2,))  # 95 % of one class

HEALTHY = (
    Health("conv1", 2.0, 0.1, 2e-3, 0.8, None, None),
    Health("relu1", None, None, None, 0.5, 0.5, 0.25),
    Health("conv2", 4.0, 0.4, 1e-3, 1.5, None, None),
    Health("relu2", None, None, None, 0.9, 0.6, 0.3),
    Health("frozen", 4.0, 0.0, 0.0, 1.0, None, None),
    Health("linear1", 3.0, 0.9, 5e-3, 3.0, None, None),
)


def course(
    train: list[float],
    val: list[float] | None = None,
    *,
    accuracy: float = 0.5,
    lr: float | list[float] = 1e-3,
    data_wait: float = 0.01,
    seconds: float = 30.0,
) -> list[Record]:
    """A record an epoch, with these losses."""
    rates = lr if isinstance(lr, list) else [lr] * len(train)
    return [
        Record(
            epoch=place + 1,
            step=100 * (place + 1),
            lr=rates[place],
            train=Scores(loss, {"accuracy": accuracy}),
            val=None if val is None else Scores(val[place], {"accuracy": accuracy}),
            seconds=seconds,
            images_per_second=1000.0,
            data_wait=data_wait,
        )
        for place, loss in enumerate(train)
    ]


LEARNING = course([1.5, 0.9, 0.7, 0.6], [1.0, 0.9, 0.95, 0.93])


def said(health: tuple[Health, ...], history: list[Record], task: Task = TASK) -> list[Advice]:
    """With the first record's rate as the optimizer's."""
    return advise(health, history, task, history[0].lr)


def kinds(health: tuple[Health, ...], history: list[Record], task: Task = TASK) -> list[str]:
    return [each.kind for each in said(health, history, task)]


def changed(node: str, **changes: float) -> tuple[Health, ...]:
    """The healthy network with another layer of that name."""
    return tuple(replace(each, **changes) if each.node == node else each for each in HEALTHY)  # type: ignore[arg-type]


def test_nothing_is_said_about_a_training_that_is_well() -> None:
    for epochs in range(1, 5):
        assert said(HEALTHY, LEARNING[:epochs]) == []
    assert said((), LEARNING) == []


UPDATES_OF = {"conv1", "conv2", "linear1"}

SICK: dict[str, tuple[tuple[Health, ...], list[Record], str]] = {
    "dead rectifiers": (changed("relu2", dead=0.8), LEARNING, "in relu2 up to 80% of the units are 0 for every sample"),
    "vanishing gradients": (
        changed("conv1", gradient_norm=1e-4),
        course([2.3, 2.2]),
        "at conv1 it is 6,000 times smaller than at linear1",
    ),
    "exploding gradients": (changed("conv2", gradient_norm=80.0), LEARNING, "in conv2 it is up to 20 times as large"),
    "exploding activations": (changed("conv2", std=5e3), LEARNING, "standard deviation is 5e+03 at conv2"),
    "vanishing activations": (changed("conv2", std=1e-6), LEARNING, "standard deviation is 1e-06 at conv2"),
    "large updates": (
        tuple(replace(each, update_ratio=0.3) if each.node in UPDATES_OF else each for each in HEALTHY),
        LEARNING,
        "one step changes the weights of conv1, conv2, linear1 by up to 30%",
    ),
    "small updates": (
        tuple(replace(each, update_ratio=4e-7) if each.node in UPDATES_OF else each for each in HEALTHY),
        course([2.3, 2.2], lr=1e-7),
        "by more than 4e-07 of themselves",
    ),
    "no better than guessing": (
        HEALTHY,
        course([2.32, 2.305, 2.304], accuracy=0.1),
        "after 3 epochs the training loss is 2.3, and always giving the same answer has 2.3",
    ),
    "worse than guessing": (HEALTHY, course([7.2, 7.0], accuracy=0.1), "the training loss is 7, and thinking all"),
    "overfitting": (
        HEALTHY,
        course([1.0, 0.5, 0.4, 0.3, 0.2], [0.9, 0.6, 0.62, 0.65, 0.7]),
        "since epoch 2 the validation loss has risen from 0.6 to 0.7, while the training loss fell from 0.5 to 0.2",
    ),
    "waiting for data": (HEALTHY, [*LEARNING[:3], replace(LEARNING[3], data_wait=0.35)], "35% of the epoch's training"),
}


@pytest.mark.parametrize("kind", SICK)
def test_each_illness_has_its_warning(kind: str) -> None:
    health, history, text = SICK[kind]
    (found,) = said(health, history)
    assert (found.kind, "\n" in found.text) == (kind, False)
    assert text in found.text
    assert "; try " in found.text


def test_every_look_is_tested() -> None:
    assert {*SICK, "one class for all"} == set(LOOKS)


def test_class_weights_may_raise_the_loss_above_that_of_guessing_well() -> None:
    assert kinds(HEALTHY, course([0.73, 0.72, 0.71], accuracy=0.7), RARE) == []


def test_one_class_for_all() -> None:
    stuck = course([0.3, 0.21, 0.2], accuracy=0.951)
    (found,) = said(HEALTHY, stuck, RARE)
    assert found.kind == "one class for all"
    assert "the accuracy stays at 95.0%" in found.text
    assert kinds(HEALTHY, stuck[:2], RARE) == []
    assert kinds(HEALTHY, course([0.3, 0.15, 0.1], accuracy=0.97), RARE) == []


def test_a_fix_names_the_rate_to_try() -> None:
    """The optimizer's, whatever the schedule has made of it."""
    (found,) = advise(changed("relu1", dead=1.0), course([2.0, 1.5], lr=[0.1, 1e-8]), TASK, lr=0.5)
    assert "--set optimizer.lr=0.05, it is 0.5" in found.text
    (found,) = advise(SICK["small updates"][0], course([2.3, 2.2], lr=6e-8), TASK, lr=1e-7)
    assert "try a higher learning rate than 1e-07" in found.text


def test_regression_is_told_to_scale_its_targets() -> None:
    task = task_of(LOSSES["mse"](), np.linspace(90, 110, 50, dtype=np.float32), (1,))
    (found,) = said((), course([9000.0, 8900.0]), task)
    assert found.kind == "worse than guessing"
    assert "; try targets of mean 0 and standard deviation 1, a lower learning rate" in found.text


@pytest.mark.parametrize(
    ("health", "history"),
    [
        (SICK["small updates"][0], course([2.3, 0.2])),  # there is nothing left to learn
        (SICK["small updates"][0], course([2.3, 2.2], lr=[1e-3, 1e-6])),  # the schedule has cooled down
        (SICK["vanishing gradients"][0], course([2.3, 0.2])),  # and yet it learns
        (changed("linear1", std=1e5), LEARNING),  # the output of a regression
        (HEALTHY, course([2.32, 2.305])),  # half of the answers are right: the labels are smoothed
        (HEALTHY, course([2.6, 2.4], accuracy=0.1)),  # falling
        (HEALTHY, course([40.0], accuracy=0.1)),  # a bad first epoch
        (HEALTHY, course([40.0, 30.0, 20.0], accuracy=0.1)),  # a bad beginning that gets better
        (HEALTHY, course([1.0, 0.5, 0.4, 0.3, 0.2], [0.9, 0.6, 0.62, 0.64, 0.65])),  # noise
        (HEALTHY, course([1.0, 0.5, 0.6, 0.7, 0.8], [0.9, 0.6, 0.62, 0.65, 0.9])),  # both rise
        (HEALTHY, course([1.0, 0.5], data_wait=0.6, seconds=0.5)),  # of no consequence
    ],
)
def test_what_looks_alike_and_is_well(health: tuple[Health, ...], history: list[Record]) -> None:
    assert said(health, history) == []


def test_a_rate_that_is_still_rising_is_not_too_low() -> None:
    assert advise(SICK["small updates"][0], course([2.3, 2.2], lr=1e-7), TASK, lr=1e-3) == []


def test_what_follows_from_something_else_is_not_mentioned() -> None:
    dead = {"relu1": {"dead": 1.0, "std": 0.0}, "conv2": {"std": 0.0}, "conv1": {"gradient_norm": 1e-6}}
    vanished = {"conv1": {"std": 1e-6}, "relu1": {"std": 1e-7, "dead": 1.0}}
    for changes, kind in ((dead, "dead rectifiers"), (vanished, "vanishing activations")):
        health = tuple(replace(each, **changes.get(each.node, {})) for each in HEALTHY)  # type: ignore[arg-type]
        assert kinds(health, course([2.3, 2.2])) == [kind]


def test_validations_within_an_epoch_are_no_epochs() -> None:
    within = [replace(record, epoch=1) for record in course([2.31, 2.31, 2.31], accuracy=0.1)]
    assert kinds((), within) == []
