"""What a training has gone through, and which moment of it was the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cnncli.training.metrics import Scores, Task

Judge = Literal["val", "train"]
"""By which split a training is judged: val, where the data have it."""


@dataclass(frozen=True)
class Record:
    """The end of an epoch, or a validation within one: a row of metrics.csv."""

    epoch: int  # from 1, the one that is at work or has just ended
    step: int  # updates made since the training began
    lr: float  # at the last of them
    train: Scores  # averaged over the epoch so far, in training mode, while the weights changed
    val: Scores | None  # at this moment, in inference mode; None where it was not measured
    seconds: float  # of the epoch so far, validation included
    images_per_second: float  # of the epoch's training alone
    data_wait: float  # the share of the epoch's training that was spent on waiting for data

    def row(self, *, validated: bool = True) -> dict[str, int | float | None]:
        """Flat, as in metrics.csv; `validated`: with columns for `val`, which are empty where it was not measured."""
        row: dict[str, int | float | None] = {"epoch": self.epoch, "step": self.step, "lr": self.lr}
        row.update({f"train_{name}": number for name, number in self.train.numbers.items()})
        if validated:
            val = {} if self.val is None else self.val.numbers
            row.update({f"val_{name}": val.get(name) for name in self.train.numbers})
        return {
            **row,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.images_per_second, 1),
            "data_wait": round(self.data_wait, 4),
        }

    def to_json(self) -> dict[str, Any]:
        """As plain data, exactly."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """From what `to_json` gave. Raises KeyError or TypeError if it is something else."""
        val = None if data["val"] is None else Scores(**data["val"])
        return cls(**{**data, "train": Scores(**data["train"]), "val": val})


def rows_of(history: Sequence[Record]) -> list[dict[str, int | float | None]]:
    """As in metrics.csv; without columns for validation if there was none."""
    validated = any(record.val is not None for record in history)
    return [record.row(validated=validated) for record in history]


@dataclass(frozen=True)
class Best:
    """The best moment of a training, and its scores on the split by which it was chosen."""

    epoch: int
    step: int
    split: Judge
    loss: float
    accuracy: float | None
    monitor: str  # the name of the number that decided
    value: float  # that number


def judged(history: Sequence[Record], split: Judge) -> list[tuple[Record, Scores]]:
    """The records that are compared, with the scores by which: the validations, or what there is of the training."""
    pairs = ((record, record.val if split == "val" else record.train) for record in history)
    return [(record, scores) for record, scores in pairs if scores is not None]


def best_of(history: Sequence[Record], split: Judge, task: Task) -> Best | None:
    """By the task's monitor, on that split; of equals the first."""
    pairs = judged(history, split)
    if not pairs:
        return None
    record, scores = min(pairs, key=lambda pair: task.badness(pair[1]))
    value = scores.numbers[task.monitor]
    return Best(record.epoch, record.step, split, scores.loss, scores.accuracy, task.monitor, value)
