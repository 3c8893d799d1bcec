"""How fast a network is trained and run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import random_batch
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.config import Experiment
from cnncli.engine import Executor, LossObjective
from cnncli.engine.plan import cut
from cnncli.inspection.bench import Bench, layer_costs, measure, peak_memory
from cnncli.inspection.options import at_least
from cnncli.inspection.views.summary import summary_view

Array = NDArray[Any]
Progress = Callable[[str], None]
"""Is told what is measured next."""


def bench(
    network: Network | None = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    layers: bool = False,
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> Bench:
    """Images a second of the training step and of inference, and with `layers` what each layer takes of a step.

    A batch holds `batch_size` samples, by default as in training: random numbers, so no data is needed. Timed are so
    many `steps`, by default as many as 2 seconds hold, and 5 at least. The network stays as it is. Only ratios within
    one run on a quiet machine mean something.

    Raises what `load` does, UsageError, and DataError where the network cannot train on such a batch.
    """
    at_least("--batch-size", batch_size)
    at_least("--steps", steps)
    session = resolve(network, options)
    experiment = session.experiment
    size = experiment.train.batch_size if batch_size is None else batch_size
    tell = progress or (lambda what: None)
    # Steps move the running statistics of batch norm, and the session may be in use.
    subject = replace(session, model=session.model.astype(session.model.flat.dtype))
    x, targets = random_batch(session, size, session.model.flat.dtype)
    parts = cut(session.graph, size)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        with subject.executor() as executor:
            executor.start(size)
            tell("training")
            training = measure(_training_step(executor, experiment, x, targets), size, steps)
            tell("inference")
            inference = measure(lambda: executor.infer(x, blas_threads=executor.workers), size, steps)
            memory, workers = peak_memory(), 1 + executor.helpers
        costs = None
        if layers:
            tell("layers")
            costs = layer_costs(subject.model, x, targets, experiment.loss, steps=steps, seed=experiment.seed)
    summary = summary_view(session.model)
    return Bench(
        name=experiment.name,
        dtype=str(x.dtype),
        workers=workers,
        optimizer=experiment.optimizer.type,
        parameters=summary.parameters,
        macs=summary.macs,
        batch_size=size,
        micro_batch=max(part.stop - part.start for part in parts),
        training=training,
        inference=inference,
        peak_memory_bytes=memory,
        layers=costs,
    )


def _training_step(executor: Executor, experiment: Experiment, x: Array, targets: Array) -> Callable[[], None]:
    """As a training makes it, but that the learning rate is 0: that costs the same, and noise has nothing to teach."""
    slots = experiment.optimizer.new_state(executor.model.flat)
    numbers = count()

    def step() -> None:
        number = next(numbers)
        objective = LossObjective.of(experiment.loss, executor.model.graph, targets)
        result = executor.differentiate(x, objective, training=True, step=number, update_buffers=True)
        experiment.optimizer.update(executor.model.flat, result.flat_gradient, slots, number + 1, lr=0.0)

    return step
