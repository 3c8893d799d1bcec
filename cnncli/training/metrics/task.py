"""What a network learns, which the loss and the targets tell, and what is measured of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.losses import Loss, are_classes
from cnncli.training.metrics import classification, multi_label, regression
from cnncli.training.metrics.baseline import Baseline, baseline_of
from cnncli.training.metrics.metric import Metric
from cnncli.training.metrics.scores import Scores
from cnncli.wording import did_you_mean, printable

Array = NDArray[Any]

LOSS, MONITOR = "loss", "train.monitor"
_TOP = re.compile("top([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Task:
    """What the network learns, how that is measured, and by which number the best moment is chosen."""

    name: str
    metrics: tuple[Metric, ...]
    monitor: str
    """`loss`, or one of the metrics."""
    baseline: Baseline | None = None
    """Of the targets that the task was found by."""

    def badness(self, scores: Scores) -> tuple[float, ...]:
        """Sorts scores, the best first: by the monitored number, and where that is equal by the loss."""
        value = scores.numbers[self.monitor]
        if math.isnan(value):
            value = math.inf
        elif not self.lower_is_better:
            value = -value
        return (value,) if self.monitor == LOSS else (value, scores.loss)

    @property
    def lower_is_better(self) -> bool:
        """Of the monitored number."""
        return self.monitor == LOSS or next(each.is_error for each in self.metrics if each.name == self.monitor)


TASKS = {
    task.name: task
    for task in (
        Task("classification", (classification.ACCURACY,), "accuracy"),
        Task("multi-label", (multi_label.ACCURACY, multi_label.EXACT_MATCH), LOSS),
        Task("regression", (regression.MAE, regression.R2), LOSS),
    )
}
"""With what is measured and monitored unless something else is asked for."""

KNOWN = {
    "classification": classification.METRICS,
    "multi-label": multi_label.METRICS,
    "regression": regression.METRICS,
}
"""All that can be measured, besides top2, top3 and so on for classes."""

METRICS = {metric.name: metric for metrics in KNOWN.values() for metric in metrics}
"""By name, for whoever shows them: what two tasks call alike, they compute in different ways."""


def task_of(
    loss: Loss, targets: Array, shape: tuple[int, ...], wanted: Sequence[str] = (), monitor: str | None = None
) -> Task:
    """For targets as the data set has them and the shape of what the loss reads.

    Classification if the targets are class numbers, one for several outputs, or the loss contains a softmax;
    multi-label if it contains a sigmoid; else regression. `wanted` are measured besides the task's own metrics, and so
    is `monitor`, by which the best moment is chosen. Raises UsageError for one that cannot be measured.
    """
    task = _plain_task(loss, targets, shape)
    metrics = {each.name: each for each in task.metrics}
    metrics |= {name: _metric(name, task, shape, "train.metrics") for name in wanted}
    if monitor is not None and monitor != LOSS and monitor not in metrics:
        metrics[monitor] = _metric(monitor, task, shape, MONITOR)
    return Task(task.name, tuple(metrics.values()), monitor or task.monitor, baseline_of(loss, targets, shape))


def whole_task(loss: Loss, targets: Array, shape: tuple[int, ...], wanted: Sequence[str] = ()) -> Task:
    """The same with all that can be measured, top5 among it where there are more classes."""
    task = _plain_task(loss, targets, shape)
    five = ("top5",) if task.name == "classification" and shape[0] > 5 else ()
    return task_of(loss, targets, shape, (*(each.name for each in KNOWN[task.name]), *five, *wanted))


def is_share(name: str) -> bool:
    """Whether the number of that name, `loss` or a metric, is read as a percentage."""
    return METRICS[name].is_share if name in METRICS else _TOP.fullmatch(name) is not None


def _plain_task(loss: Loss, targets: Array, shape: tuple[int, ...]) -> Task:
    if are_classes(targets, shape) or loss.link == "softmax":
        return TASKS["classification"]
    return TASKS["multi-label" if loss.link == "sigmoid" else "regression"]


def _metric(name: str, task: Task, shape: tuple[int, ...], key: str) -> Metric:
    known = {each.name: each for each in KNOWN[task.name]}
    if name in known:
        return known[name]
    first = _TOP.fullmatch(name)
    if first is not None and task.name == "classification":
        if int(first[1]) >= shape[0]:
            raise UsageError(f"{key}: {name} of {shape[0]} classes is always right; expected fewer")
        return classification.top(int(first[1]))
    there_are = [*([LOSS] if key == MONITOR else []), *known]
    more = ["top2", "top3", "..."] if task.name == "classification" else []
    hint = did_you_mean(name, there_are) or f"; there are {', '.join([*there_are, *more])}"
    raise UsageError(f"{key}: '{printable(name)}' is not measured for {task.name}{hint}")
