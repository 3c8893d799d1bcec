"""The numbers about some samples, and the sums that become them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cnncli.training.metrics.task import Task

Array = NDArray[Any]


@dataclass(frozen=True)
class Scores:
    """The mean loss and the metrics over some samples."""

    loss: float
    metrics: dict[str, float]

    @property
    def numbers(self) -> dict[str, float]:
        """The loss and the metrics, by name."""
        return {"loss": self.loss, **self.metrics}

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
