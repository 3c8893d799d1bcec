"""What a contestant does: train and infer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Literal

from numpy.typing import NDArray

Array = NDArray[Any]
Mode = Literal["training", "inference"]


class Runner(ABC):
    """One network with one choice of settings, with its data in the form that suits it.

    Steps are counted from 0; step k takes batch k of the job's images and labels, from the first again after the last.
    """

    @abstractmethod
    def train(self, steps: Iterable[int]) -> list[float]:
        """Forward, loss, backward and Adam for each; the losses. Returns when all of it is done; a framework that
        works ahead of the program may do so in between."""

    @abstractmethod
    def infer(self, step: int) -> Array:
        """The network's output, (batch, classes), when it is there to be read."""

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Lets go of threads and the like."""
