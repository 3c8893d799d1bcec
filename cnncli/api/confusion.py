"""Which classes are taken for which."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from cnncli.api.classes import class_count, names_of
from cnncli.api.decisions import predicted_classes, read_by_loss, task_name, true_classes
from cnncli.api.samples import samples_of
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.engine import LossObjective
from cnncli.errors import UsageError
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import batches
from cnncli.inspection.views.confusion import ConfusionView, Tally

_INSTEAD = "'cnncli visualize mistakes' shows the worst samples of any network"


def confusion(
    network: Network | None = None,
    *,
    split: str | None = None,
    samples: int | None = None,
    top: int = 10,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> ConfusionView:
    """How often each class of a split is taken for each other, and the `top` most confused pairs.

    The split is by default the held-out one, as of `evaluate`; `samples` looks at so many of it. Raises what `load`
    does, DataError, and UsageError where there is not one class for each sample (or position).
    """
    at_least("--top", top, 0)
    session = resolve(network, options)
    chosen = samples_of(session, split, samples)
    assert chosen.targets is not None  # a split has them
    task = task_name(session, chosen.targets)
    if task != "classification":
        raise UsageError(
            f"a confusion matrix needs one class for each sample, and this is a {task} network; {_INSTEAD}"
        )
    tally, at, nonfinite = Tally(class_count(session)), read_by_loss(session), 0
    with session.executor() as executor:
        for batch in batches(executor, chosen, [at], progress):
            assert batch.targets is not None
            LossObjective.of(session.experiment.loss, session.graph, batch.targets)  # raises where a class is none
            output = batch.values[at]
            true, predicted = true_classes(session, output, batch.targets), predicted_classes(session, output)
            tally.add(batch.indices, true, predicted)
            nonfinite += int(np.count_nonzero(~np.isfinite(output).all(axis=1)))
    return tally.view(chosen.title, chosen.name, names_of(session), top=top, nonfinite=nonfinite)
