"""Trainings that were, each as one row: what it was, how far it came, and how good it got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

State = Literal["finished", "stopped early", "stopped", "running", "diverged", "damaged"]
"""`stopped early` was meant to; `stopped` was interrupted or killed, and can be gone on with."""


@dataclass(frozen=True)
class Score:
    """The number by which a training was judged."""

    split: str
    metric: str
    value: float
    is_share: bool  # of something, so that it reads as a percentage
    is_error: bool  # the lower the better


@dataclass(frozen=True)
class RunRow:
    """One run directory; what is not known of it is None."""

    name: str  # of the directory
    run: Path
    started: datetime | None
    state: State
    epoch: int | None = None  # how many were finished
    epochs: int | None = None  # how many there were to be
    best: Score | None = None
    best_epoch: int | None = None  # in which that was measured
    test: Score | None = None  # of the best weights
    parameters: int | None = None
    seconds: float | None = None  # of training, validation included
    problem: str | None = None  # why nothing more can be said of a damaged one


@dataclass(frozen=True)
class RunsView:
    """The runs of a folder."""

    folder: Path
    runs: tuple[RunRow, ...]
