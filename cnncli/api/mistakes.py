"""The samples with the largest loss."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.classes import class_name, probabilities
from cnncli.api.decisions import predicted_classes, read_by_loss, task_name, true_classes
from cnncli.api.samples import samples_of
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.api.subject import describe
from cnncli.data.inputs import Input
from cnncli.inspection.options import at_least
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples, batches
from cnncli.inspection.views.mistakes import Mistake, MistakesView, largest
from cnncli.training.evaluation import losses_of

Array = NDArray[Any]

FEW = 4
"""Outputs up to which they are told as numbers, where they are no classes."""


def mistakes(
    network: Network | None = None,
    *,
    split: str | None = None,
    samples: int | None = None,
    top: int = 12,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> MistakesView:
    """The `top` samples of a split with the largest loss, and what the network makes of them.

    The split is by default the held-out one, as of `evaluate`; `samples` looks at so many of it. Raises what `load`
    does, UsageError and DataError.
    """
    at_least("--top", top)
    session = resolve(network, options)
    chosen = samples_of(session, split, samples)
    assert chosen.targets is not None  # a split has them
    loss, at = session.experiment.loss, read_by_loss(session)
    classes = task_name(session, chosen.targets) == "classification" and len(session.graph.shape_of(at)) == 1
    losses, wrong = np.empty(chosen.count), 0
    with session.executor() as executor:
        for batch in batches(executor, chosen, [at], progress):
            output = batch.values[at]
            assert batch.targets is not None
            losses[batch.indices] = losses_of(loss, output, batch.targets)
            if classes:
                right = predicted_classes(session, output) == true_classes(session, output, batch.targets)
                wrong += int(np.count_nonzero(~right))
        worst = largest(losses, top)
        output = executor.infer(chosen.x(np.array(worst)), at=at)
    return MistakesView(
        samples=chosen.title,
        count=chosen.count,
        loss=float(losses.mean()),
        wrong=wrong if classes else None,
        mistakes=tuple(
            _mistake(session, chosen, index, output[place : place + 1], float(losses[index]), classes=classes)
            for place, index in enumerate(worst)
        ),
        nonfinite=int(np.count_nonzero(~np.isfinite(losses))),
    )


def _mistake(session: Session, samples: Samples, index: int, output: Array, loss: float, *, classes: bool) -> Mistake:
    """`output` is what the loss reads, of this sample alone, (1, *shape)."""
    assert samples.targets is not None
    targets = samples.targets[index : index + 1]
    name, picture = samples.name(index), samples.picture(index)
    subject = describe(session, Input(output, tuple(targets), (name,), (picture,)), {read_by_loss(session): output})
    if not classes:
        said, wanted = subject.predicted or _numbers(output[0]), subject.true or _numbers(targets[0])
        return Mistake(name, loss, wanted, said, None, None, None, picture)
    true, predicted = (
        int(each[0]) for each in (true_classes(session, output, targets), predicted_classes(session, output))
    )
    shares = probabilities(session, lambda value: output)
    probability, true_probability = (
        (None, None) if shares is None else (float(shares[0, predicted]), float(shares[0, true]))
    )
    names = class_name(session, true), class_name(session, predicted)
    numbers = true, predicted
    return Mistake(name, loss, *names, true == predicted, probability, true_probability, picture, numbers)


def _numbers(values: Array) -> str | None:
    """A few numbers; None for many."""
    return ", ".join(f"{value:.4g}" for value in values.ravel()) if values.size <= FEW else None
