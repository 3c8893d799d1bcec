"""Everything that can be noticed, in the order in which it is said: what may be the cause of the rest goes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cnncli.training.advice.advice import Advice
from cnncli.training.advice.course import class_collapse, data_wait, guessing, overfitting, worse_than_guessing
from cnncli.training.advice.evidence import Evidence
from cnncli.training.advice.layers import (
    dead_rectifiers,
    exploding_activations,
    exploding_gradients,
    large_updates,
    small_updates,
    vanishing_activations,
    vanishing_gradients,
)
from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.metrics import Task

Look = Callable[[Evidence], str | None]

LOOKS: dict[str, Look] = {
    "exploding activations": exploding_activations,
    "vanishing activations": vanishing_activations,
    "exploding gradients": exploding_gradients,
    "vanishing gradients": vanishing_gradients,
    "dead rectifiers": dead_rectifiers,
    "large updates": large_updates,
    "small updates": small_updates,
    "worse than guessing": worse_than_guessing,
    "no better than guessing": guessing,
    "one class for all": class_collapse,
    "overfitting": overfitting,
    "waiting for data": data_wait,
}


def advise(health: Sequence[Health], history: Sequence[Record], task: Task, lr: float) -> list[Advice]:
    """What there is to say after the last record, each kind at most once.

    `health` is that of every layer in the order of the network, at the end of the epoch, or nothing within one; `lr` is
    the optimizer's own learning rate, before the schedule.
    """
    evidence = Evidence(health, history, task, lr)
    found = ((kind, look(evidence)) for kind, look in LOOKS.items())
    return [Advice(kind, text) for kind, text in found if text is not None]
