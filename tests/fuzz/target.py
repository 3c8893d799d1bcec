"""What a kind of input is to those that run it."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

ACCEPTED = "accepted"


class Target(ABC):
    """One kind of input. It is made once in every process, in a folder of its own, which is the working directory."""

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def make(self, rng: random.Random) -> bytes:
        """One case: everything that differs from the other cases, as one file."""

    @abstractmethod
    def run(self, case: bytes) -> str:
        """Gives the case to the program: ACCEPTED. Raises CnncliError where it is refused, AssertionError where the
        answer is wrong; whatever else it raises is a mistake of the program too."""

    def may_write_outside(self, case: bytes) -> bool:
        """Whether the case itself asks for files in other places, where it is refused."""
        return False


def pick(rng: random.Random, *weighted: tuple[int, str]) -> str:
    """One of the names, as often as its weight says."""
    weights, names = zip(*weighted, strict=True)
    return str(rng.choices(names, weights)[0])
