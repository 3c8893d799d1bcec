"""What a training would be like, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DryRun:
    """A training that could begin: everything was checked, some steps were made on a copy, and nothing was kept.

    The seconds are estimates, from steps on this machine as busy as it is; with early stopping there may be fewer.
    """

    name: str
    run: str  # where the results would be
    samples: dict[str, int]  # in each split that there is: train, val, test
    parameters: int
    epochs: int  # that are to be trained; of a training that is gone on with, the rest
    batches: int  # an epoch
    batch_size: int
    workers: int
    steps: int  # that were timed, after a warm-up
    images_per_second: float
    epoch_seconds: float  # validation and saving included
    validation_seconds: float  # of each, on the whole val split; 0 without one
    saving_seconds: float  # of each checkpoint, with the look at every layer at the end of an epoch
    seconds: float  # altogether, with the test at the end
    peak_memory_bytes: int | None  # of all processes; None where the system does not tell
    checkpoint_bytes: int  # of the weights, the best weights and the state together
    free_bytes: int  # where they would be written
    notes: tuple[str, ...]
