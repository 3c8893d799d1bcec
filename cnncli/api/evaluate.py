"""The scores of a network on a split of its data."""

from __future__ import annotations

from typing import Unpack

from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.training import loop
from cnncli.training.loop import EvalResult


def evaluate(
    network: Network | None = None, *, split: str | None = None, **options: Unpack[SessionOptions]
) -> EvalResult:
    """The loss and the metrics on a split: by default test, or val where there is no test split, or train.

    Raises what `load` does, and DataError.
    """
    session = resolve(network, options)
    dataset = session.dataset
    name = split or next(name for name in ("test", "val", "train") if getattr(dataset, name) is not None)
    return loop.evaluate(
        session.model, dataset.split(name), session.experiment.loss, name=name, workers=session.workers
    )
