"""Before and after a step of the optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, Labels, known_targets, shown_some
from cnncli.api.objectives import loss_in_words
from cnncli.api.samples import as_samples
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.api.subject import describe
from cnncli.data.inputs import Input
from cnncli.engine import Executor, LossObjective, Objective
from cnncli.errors import UsageError
from cnncli.graph import Model
from cnncli.inspection.census import Census
from cnncli.inspection.descent import Descent, descend
from cnncli.inspection.options import at_least
from cnncli.inspection.views.pick import Pick
from cnncli.inspection.views.step import SIDE_BY_SIDE, StepView, step_board, step_view
from cnncli.training.optimizers import SGD, Optimizer

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board

SAMPLES = 16


@dataclass(frozen=True, eq=False)
class Step:
    """The view of the losses and the moves, and what it was made from."""

    view: StepView
    descent: Descent
    model: Model

    @property
    def nonfinite(self) -> tuple[str, ...]:
        """Where there is NaN or infinity, in the order in which the network computes, before the steps and after."""
        before, after = (
            Census.of(recording).nonfinite(self.model.graph) for recording in (self.descent.before, self.descent.after)
        )
        losses = () if np.isfinite(self.view.losses).all() else ("the loss",)
        return (*before, *(f"{name} after the step" for name in after), *losses)

    def pictures(self, pick: Pick = SIDE_BY_SIDE) -> Board:
        """Maps, gradients and weights before, after, and their difference. Raises UsageError if nothing fits."""
        return step_board(self.descent, self.model, self.view.subject, pick)


def step(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    samples: int = SAMPLES,
    lr: float | None = None,
    steps: int = 1,
    train_mode: bool = False,
    **options: Unpack[SessionOptions],
) -> Step:
    """Takes a step of the optimizer on a copy of the network, and compares what it does with what was predicted.

    On the given inputs; else on the first `samples` training samples; else, where there is no data, on random
    numbers. The optimizer is that of the configuration, at its first step; with `lr` it is plain gradient descent with
    that rate, whose prediction is -lr |gradient|^2. `train_mode` gives batch norm and dropout their training
    behaviour. It is computed in float64, and the session's network is left as it is.

    Raises what `load` does, UsageError, DataError.
    """
    at_least("--steps", steps)
    session = resolve(network, options)
    if not session.model.flat.size:
        raise UsageError("there is nothing to change by a step: the network has no parameters")
    optimizer = _optimizer(session, lr)
    given = shown_some(session, input, label, samples)
    known_targets(session, given)
    model = session.model.astype(np.float64)
    state = optimizer.new_state(model.flat)

    def update(flat: NDArray[np.float64], gradient: NDArray[np.float64], number: int) -> None:
        optimizer.update(flat, gradient, state, number)

    def objective(indices: NDArray[np.int64]) -> Objective:
        assert given.targets is not None
        return LossObjective.of(session.experiment.loss, session.graph, given.targets[indices])

    with Executor(model.on(model.flat.copy()), workers=session.workers, seed=session.experiment.seed) as executor:
        descent = descend(executor, as_samples(given), objective, update, steps=steps, training=train_mode)
    subject = describe(session, given, descent.before.activations, target=_target(session, given))
    view = step_view(descent, model, subject, _in_words(optimizer), plain=_is_plain(optimizer))
    return Step(view, descent, model)


def _optimizer(session: Session, lr: float | None) -> Optimizer:
    if lr is None:
        return session.experiment.optimizer
    if not (lr > 0 and np.isfinite(lr)):
        raise UsageError(f"--lr {lr:g}: expected a number above 0")
    return SGD(lr=lr)


def _is_plain(optimizer: Optimizer) -> bool:
    """Whether its first step is -lr * gradient."""
    return optimizer == SGD(lr=optimizer.lr)


def _in_words(optimizer: Optimizer) -> str:
    return f"{optimizer.type} with lr {optimizer.lr:g}"


def _target(session: Session, given: Input) -> str:
    name = loss_in_words(session, given)
    return name if len(given.x) == 1 else f"{name}, mean over {len(given.x):,} samples"
