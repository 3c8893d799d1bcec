"""The scores of a network on a split of its data."""

from __future__ import annotations

from typing import Unpack

from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.training import evaluation
from cnncli.training.evaluation import EvalResult


def evaluate(
    network: Network | None = None, *, split: str | None = None, **options: Unpack[SessionOptions]
) -> EvalResult:
    """The loss and the metrics on a split: by default test, or val where there is no test split, or train.

    Raises what `load` does, and DataError.
    """
    session = resolve(network, options)
    name = split or session.dataset.held_out
    samples = session.dataset.split(name)
    return evaluation.evaluate(session.model, samples, session.experiment.loss, name=name, workers=session.workers)
