"""How long a training takes, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter


@dataclass
class Pace:
    """Seconds and samples: of the epoch at work, and of the whole training, over all the times it was gone on with."""

    epoch_seconds: float = 0.0
    epoch_training: float = 0.0  # of these, for steps alone, with the wait for their data
    epoch_waiting: float = 0.0  # of these, waiting for data
    epoch_samples: int = 0
    seconds: float = 0.0
    training: float = 0.0
    samples: int = 0

    @property
    def epoch_images_per_second(self) -> float:
        """Of training alone."""
        return self.epoch_samples / self.epoch_training if self.epoch_training else 0.0

    @property
    def images_per_second(self) -> float:
        """Of training alone."""
        return self.samples / self.training if self.training else 0.0

    @property
    def data_wait(self) -> float:
        """The share of the epoch's training that went into waiting for data."""
        return self.epoch_waiting / self.epoch_training if self.epoch_training else 0.0

    def next_epoch(self) -> None:
        """The epoch is over."""
        self.epoch_seconds = self.epoch_training = self.epoch_waiting = 0.0
        self.epoch_samples = 0


class Clock:
    """Fills in a `Pace`."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._lapped = self._started = perf_counter()
        self._waited = 0.0

    def start(self) -> None:
        """A step begins; what was done since the last one, was no training."""
        self._started = perf_counter()

    def step(self, samples: int, waited: float) -> float:
        """A step is over, and the next one begins; `waited` is for how long data were waited for since the training
        began. Returns the seconds that the step took."""
        now, pace = perf_counter(), self.pace
        seconds = now - self._started
        pace.epoch_training += seconds
        pace.epoch_waiting += waited - self._waited
        pace.epoch_samples += samples
        pace.training += seconds
        pace.samples += samples
        self._started, self._waited = now, waited
        return seconds

    def lap(self) -> None:
        """Adds all the time since the last lap."""
        now = perf_counter()
        self.pace.epoch_seconds += now - self._lapped
        self.pace.seconds += now - self._lapped
        self._lapped = now
