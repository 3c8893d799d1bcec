"""The scores of a network on a split of its data."""

from __future__ import annotations

from typing import Unpack

from cnncli.api.classes import names_of
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.training import evaluation
from cnncli.training.evaluation import EvalResult


def evaluate(
    network: Network | None = None, *, split: str | None = None, **options: Unpack[SessionOptions]
) -> EvalResult:
    """The loss and all metrics on a split, and those of each class, label or output: by default of test, or val where
    there is no test split, or train.

    Raises what `load` does, DataError, and UsageError where `train.metrics` asks for one that cannot be measured.
    """
    session = resolve(network, options)
    name = split or session.dataset.held_out
    return evaluation.evaluate(
        session.model,
        session.dataset.split(name),
        session.experiment.loss,
        name=name,
        wanted=session.experiment.train.metrics,
        class_names=names_of(session),
        workers=session.workers,
    )
