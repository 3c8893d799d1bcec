"""What a training has gone through: one record an epoch, and which of them was the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cnncli.training.metrics import Scores, Task


@dataclass(frozen=True)
class Epoch:
    """One epoch that was finished."""

    epoch: int  # from 1
    step: int  # updates made since the training began
    lr: float  # at the last of them
    train: Scores  # averaged over the epoch, in training mode, while the weights changed
    val: Scores | None  # after the epoch, in inference mode; None without such a split
    seconds: float  # validation included
    images_per_second: float  # of the training alone

    @property
    def judged(self) -> Scores:
        """The scores by which epochs are compared."""
        return self.train if self.val is None else self.val

    def row(self) -> dict[str, int | float]:
        """Flat, as in metrics.csv."""
        row: dict[str, int | float] = {"epoch": self.epoch, "step": self.step, "lr": self.lr}
        for split, scores in (("train", self.train), ("val", self.val)):
            if scores is not None:
                numbers = {"loss": scores.loss, **scores.metrics}
                row.update({f"{split}_{name}": number for name, number in numbers.items()})
        return {**row, "seconds": round(self.seconds, 3), "images_per_second": round(self.images_per_second, 1)}

    def to_json(self) -> dict[str, Any]:
        """As plain data, exactly."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Epoch:
        """From what `to_json` gave. Raises KeyError or TypeError if it is something else."""
        val = None if data["val"] is None else Scores(**data["val"])
        return cls(**{**data, "train": Scores(**data["train"]), "val": val})


@dataclass(frozen=True)
class Best:
    """The best epoch and its scores on the split by which it was chosen."""

    epoch: int
    split: Literal["val", "train"]
    loss: float
    accuracy: float | None


def best_of(history: list[Epoch], task: Task) -> Best | None:
    """By the task's monitor; of equals the first."""
    if not history:
        return None
    epoch = min(history, key=lambda epoch: _badness(epoch.judged, task))
    scores = epoch.judged
    return Best(epoch.epoch, "train" if epoch.val is None else "val", scores.loss, scores.accuracy)


def _badness(scores: Scores, task: Task) -> tuple[float, float]:
    return (-scores.metrics["accuracy"] if task.monitor == "accuracy" else 0.0, scores.loss)
