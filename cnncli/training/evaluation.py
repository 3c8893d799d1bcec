"""How good a model is on a split."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from cnncli.data.batches import sequential_batches
from cnncli.data.dataset import Dataset, Split
from cnncli.engine import Executor, LossObjective
from cnncli.engine.layout import to_engine
from cnncli.errors import DataError
from cnncli.graph import Graph, Model
from cnncli.layers.run import Run
from cnncli.losses import Loss
from cnncli.training.interruption import Interruption
from cnncli.training.metrics import Scores, Totals, task_of

Array = NDArray[Any]

BATCH_BYTES = 1 << 24
"""About how much of a split is held in memory at a time, as float32."""


@dataclass(frozen=True)
class EvalResult:
    """A model on a split, in inference mode."""

    split: str
    samples: int
    loss: float
    accuracy: float | None  # None for regression
    metrics: dict[str, float]  # all of the task's, the accuracy among them

    @classmethod
    def of(cls, name: str, split: Split, scores: Scores) -> Self:
        """The scores that were measured on all of the split, which is called `name`."""
        return cls(name, len(split), scores.loss, scores.accuracy, scores.metrics)


def evaluate(model: Model, split: Split, loss: Loss, *, name: str, workers: int | None = None) -> EvalResult:
    """The loss and the metrics on a split, which is called `name`. Raises DataError if the targets do not fit."""
    _check_split(loss, model.graph, split, name)
    with Executor(model, workers=workers) as executor:
        scores = measure(executor, split, loss)
    assert scores is not None  # nobody can interrupt it
    return EvalResult.of(name, split, scores)


def check_targets(loss: Loss, graph: Graph, dataset: Dataset) -> None:
    """Raises DataError if a split is empty, or holds a target that the loss cannot take."""
    for name, split in dataset.splits.items():
        _check_split(loss, graph, split, name)


def _check_split(loss: Loss, graph: Graph, split: Split, name: str) -> None:
    if len(split) == 0:
        raise DataError(f"the {name} split holds no samples")
    try:
        for rows in sequential_batches(len(split), 4096):
            LossObjective.of(loss, graph, split.targets[rows])
    except DataError as error:
        raise DataError(f"{name} split: {error}") from None


def measure(executor: Executor, split: Split, loss: Loss, interruption: Interruption | None = None) -> Scores | None:
    """The scores on all samples of a split; None if it was interrupted."""
    graph = executor.model.graph
    at = graph.logits(loss.link)
    totals = Totals(task_of(loss, split.targets, graph.shape_of(at)))
    batch_size = max(32, min(1024, BATCH_BYTES // (4 * math.prod(graph.input_shape))))
    for indices in sequential_batches(len(split), batch_size):
        if interruption is not None and interruption.requested:
            return None
        x, targets = split.batch(indices)
        output = executor.infer(x, at=at)
        totals.add(losses_of(loss, output, targets), output, targets)
    return totals.scores()


def losses_of(loss: Loss, output: Array, targets: Array) -> Array:
    """The loss of every sample, (N,), from what it reads, (N, *shape), and the targets as a data set has them.

    Raises DataError where the targets do not fit.
    """
    values, _ = loss.forward(to_engine(output, Run(output.dtype)), loss.encode(targets, output.shape[1:]))
    return values
