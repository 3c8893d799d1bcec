"""What is measured besides the loss: chosen by the task, which the loss and the targets tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.losses import Loss, are_classes, class_numbers

Array = NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A number about many samples, from sums over them, so that it can be gathered batch by batch.

    `sums(output, targets)` are additive, float64 (k,), for output (n, *shape), which is what the loss reads, and
    targets as the data set has them, (n,) or (n, *shape). `value(sums, samples)` is the number; `is_share`: it lies
    between 0 and 1, and people read it as a percentage.
    """

    name: str
    sums: Callable[[Array, Array], Array]
    value: Callable[[Array, int], float]
    is_share: bool = False


def _mean(sums: Array, samples: int) -> float:
    return float(sums[0]) / samples


def _right_classes(output: Array, targets: Array) -> Array:
    """The largest output is at the class that is the target (or has its largest share); positions are averaged."""
    right = (output.argmax(axis=1) == class_numbers(targets, output.shape[1:])).reshape(len(output), -1)
    return np.array([right.mean(axis=1).sum()])


def _labels_right(output: Array, targets: Array) -> Array:
    """(n, k): the logit says more likely than not, and the label is there, or neither."""
    right: Array = (output > 0) == (targets.reshape(output.shape) > 0.5)
    return right.reshape(len(right), -1)


def _right_labels(output: Array, targets: Array) -> Array:
    return np.array([_labels_right(output, targets).mean(axis=1).sum()])


def _exact_matches(output: Array, targets: Array) -> Array:
    return np.array([np.count_nonzero(_labels_right(output, targets).all(axis=1))], np.float64)


def _errors(output: Array, targets: Array) -> Array:
    """(n, k) float64."""
    errors: Array = output.astype(np.float64) - targets.reshape(output.shape)
    return errors.reshape(len(errors), -1)


def _squares(output: Array, targets: Array) -> Array:
    return np.array([np.square(_errors(output, targets)).mean(axis=1).sum()])


def _distances(output: Array, targets: Array) -> Array:
    return np.array([np.abs(_errors(output, targets)).mean(axis=1).sum()])


def _r2_sums(output: Array, targets: Array) -> Array:
    """For each of the k outputs: the sums of squared errors, of the targets and of their squares; (3 * k,)."""
    wanted = targets.reshape(len(targets), -1).astype(np.float64)
    return np.concatenate(
        [np.square(_errors(output, targets)).sum(axis=0), wanted.sum(axis=0), np.square(wanted).sum(axis=0)]
    )


def _r2(sums: Array, samples: int) -> float:
    """1 - (sum of squared errors) / (sum of squared distances of the targets from their mean), averaged over the
    outputs. For constant targets: 1 if there is no error, else 0 (as scikit-learn's r2_score)."""
    residual, total, squares = sums.reshape(3, -1)
    spread = np.maximum(squares - total**2 / samples, 0)
    spread[spread <= 1e-12 * squares] = 0  # what rounding leaves of equal targets
    known = np.divide(residual, spread, out=np.where(residual == 0, 0.0, 1.0), where=spread > 0)
    return float(np.mean(1 - known))


@dataclass(frozen=True)
class Task:
    """What the network learns, how that is measured, and by which number the best epoch is chosen.

    `monitor` is "accuracy" (highest; at equal accuracy the lowest loss) or "loss" (lowest).
    """

    name: str
    metrics: tuple[Metric, ...]
    monitor: str


TASKS = {
    task.name: task
    for task in (
        Task("classification", (Metric("accuracy", _right_classes, _mean, is_share=True),), "accuracy"),
        Task(
            "multi-label",
            (
                Metric("accuracy", _right_labels, _mean, is_share=True),
                Metric("exact_match", _exact_matches, _mean, is_share=True),
            ),
            "loss",
        ),
        Task("regression", (Metric("mae", _distances, _mean), Metric("r2", _r2_sums, _r2)), "loss"),
    )
}
METRICS = {metric.name: metric for task in TASKS.values() for metric in task.metrics}
"""By name, for whoever shows them: what two tasks call alike, they compute in different ways."""


def task_of(loss: Loss, targets: Array, shape: tuple[int, ...]) -> Task:
    """For targets as the data set has them and the shape of what the loss reads.

    Classification if the targets are class numbers, one for several outputs, or the loss contains a softmax;
    multi-label if it contains a sigmoid; else regression.
    """
    if are_classes(targets, shape) or loss.link == "softmax":
        return TASKS["classification"]
    return TASKS["multi-label" if loss.link == "sigmoid" else "regression"]


@dataclass(frozen=True)
class Scores:
    """The mean loss and the metrics over some samples."""

    loss: float
    metrics: dict[str, float]

    @property
    def accuracy(self) -> float | None:
        """None where the task has none."""
        return self.metrics.get("accuracy")


@dataclass
class Totals:
    """Sums over the samples seen so far: what becomes `Scores`."""

    task: Task
    samples: int = 0
    loss: float = 0.0
    sums: dict[str, Array] = field(default_factory=dict)

    def add(self, values: Array, output: Array, targets: Array) -> None:
        """One batch: the losses (n,), what the loss read (n, *shape), targets as the data set has them."""
        self.samples += len(values)
        self.loss += float(values.sum(dtype=np.float64))
        for metric in self.task.metrics:
            self.sums[metric.name] = self.sums.get(metric.name, 0) + metric.sums(output, targets)

    def scores(self) -> Scores:
        """Raises ZeroDivisionError before the first batch."""
        metrics = {metric.name: metric.value(self.sums[metric.name], self.samples) for metric in self.task.metrics}
        return Scores(self.loss / self.samples, metrics)

    def to_json(self) -> dict[str, Any]:
        """As plain data, exactly."""
        sums = {name: array.tolist() for name, array in self.sums.items()}
        return {"samples": self.samples, "loss": self.loss, "sums": sums}

    @classmethod
    def from_json(cls, task: Task, data: Mapping[str, Any]) -> Totals:
        """From what `to_json` gave."""
        sums = {name: np.array(values, np.float64) for name, values in data["sums"].items()}
        return cls(task, data["samples"], data["loss"], sums)
