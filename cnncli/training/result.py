"""What a training came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnncli.training.evaluation import EvalResult
from cnncli.training.history import Best, Epoch


@dataclass(frozen=True)
class TrainResult:
    """Of a training that was finished or interrupted; what fails ends with an exception."""

    run: Path | None
    history: tuple[Epoch, ...]  # the finished epochs
    best: Best | None  # None if no epoch was finished
    test: EvalResult | None  # of the best weights; None without a test split, or when interrupted
    seconds: float
    images_per_second: float  # of the training alone
    interrupted: bool
