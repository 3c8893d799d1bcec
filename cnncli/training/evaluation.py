"""How good a model is on a split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from cnncli.data.batches import sequential_batches
from cnncli.data.dataset import Dataset, Split
from cnncli.data.loading import in_order
from cnncli.engine import Executor, LossObjective
from cnncli.engine.layout import to_engine
from cnncli.errors import DataError
from cnncli.graph import Graph, Model
from cnncli.layers.run import Run
from cnncli.losses import Loss
from cnncli.training.interruption import Interruption
from cnncli.training.metrics import Scores, Task, Totals, whole_task
from cnncli.training.metrics.report import ClassScores, OutputScores, class_scores, output_scores

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
    metrics: dict[str, float]  # all that were measured, the accuracy among them
    classes: tuple[ClassScores, ...] = ()  # of `evaluate`: each class, or each label
    outputs: tuple[OutputScores, ...] = ()  # of `evaluate`, for regression: each output

    @classmethod
    def of(cls, name: str, split: Split, scores: Scores) -> Self:
        """The scores that were measured on all of the split, which is called `name`."""
        return cls(name, len(split), scores.loss, scores.accuracy, scores.metrics)


def evaluate(
    model: Model,
    split: Split,
    loss: Loss,
    *,
    name: str,
    wanted: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    workers: int | None = None,
) -> EvalResult:
    """All that can be measured on a split, which is called `name`; `wanted` are metrics that it may be without, as
    top3. Raises DataError if the targets do not fit, UsageError if a metric does not.
    """
    _check_split(loss, model.graph, split, name)
    graph = model.graph
    task = whole_task(loss, split.targets, graph.shape_of(graph.logits(loss.link)), wanted)
    with Executor(model, workers=workers) as executor:
        totals = _totals(executor, split, loss, task)
    assert totals is not None  # nobody can interrupt it
    scores = totals.scores()
    return EvalResult(
        split=name,
        samples=len(split),
        loss=scores.loss,
        accuracy=scores.accuracy,
        metrics=scores.metrics,
        classes=class_scores(totals, class_names),
        outputs=output_scores(totals),
    )


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
    except DataError:
        try:
            LossObjective.of(loss, graph, split.targets)  # which tells the sample's number in all of the split
        except DataError as error:
            raise DataError(f"{name} split: {error}") from None


def measure(
    executor: Executor, split: Split, loss: Loss, task: Task, interruption: Interruption | None = None
) -> Scores | None:
    """The task's scores on all samples of a split; None if it was interrupted."""
    totals = _totals(executor, split, loss, task, interruption)
    return None if totals is None else totals.scores()


def _totals(
    executor: Executor, split: Split, loss: Loss, task: Task, interruption: Interruption | None = None
) -> Totals | None:
    graph = executor.model.graph
    at, totals = graph.logits(loss.link), Totals(task)
    batch_size = max(32, min(1024, BATCH_BYTES // (4 * math.prod(graph.input_shape))))
    for batch in in_order(split, batch_size):
        if interruption is not None and interruption.requested:
            return None
        output = executor.infer(batch.x, at=at)
        totals.add(losses_of(loss, output, batch.targets), output, batch.targets)
    return totals


def losses_of(loss: Loss, output: Array, targets: Array) -> Array:
    """The loss of every sample, (N,), from what it reads, (N, *shape), and the targets as a data set has them.

    Raises DataError where the targets do not fit.
    """
    values, _ = loss.forward(to_engine(output, Run(output.dtype)), loss.encode(targets, output.shape[1:]))
    return values
