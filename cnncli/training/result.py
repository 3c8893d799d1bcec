"""What a training came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnncli.training.evaluation import EvalResult
from cnncli.training.history import Best, Record


@dataclass(frozen=True)
class TrainResult:
    """Of a training that was finished or interrupted; what fails ends with an exception."""

    run: Path | None
    epochs: int  # finished
    step: int  # updates made
    history: tuple[Record, ...]
    best: Best | None  # None if nothing was measured yet
    test: EvalResult | None  # of the best weights; None without a test split, or when interrupted
    seconds: float
    images_per_second: float  # of the training alone
    interrupted: bool
    stopped_early: bool  # because the monitored number did not improve any more
