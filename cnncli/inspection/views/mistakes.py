"""The samples with the largest loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Mistake:
    """One sample, and what the network makes of it."""

    input: str
    """As --input takes it: "test:17"."""
    loss: float
    true: str | None
    predicted: str | None
    right: bool | None
    """Whether the two are the same; None where the outputs are no classes."""
    probability: float | None
    """Of the class predicted, and of the true one; None where there is not one class for each sample."""
    true_probability: float | None
    picture: Array | None
    numbers: tuple[int, int] | None = None
    """Of the true and of the predicted class; None where the outputs are no classes."""

    def label(self, *, brief: bool = False) -> str:
        """ "test:17: Shirt > Coat (98%)", true and predicted; where it is right "test:17: Shirt (52%)"; the name alone
        where one of them is not known. `brief`: without the probability."""
        if self.true is None or self.predicted is None:
            return self.input
        share = "" if self.probability is None or brief else f" ({self.probability:.0%})"
        said = self.true if self.right else f"{self.true} > {self.predicted}"
        return f"{self.input}: {said}{share}"


@dataclass(frozen=True)
class MistakesView:
    """The worst of many samples, the largest loss first."""

    samples: str
    """Which they are: "test"."""
    count: int
    loss: float
    """Their mean."""
    wrong: int | None
    """How many have another class than the true one; None where the outputs are no classes."""
    mistakes: tuple[Mistake, ...]
    nonfinite: int
    """How many losses are NaN or infinite; these come first."""

    def board(self, *, brief: bool = False) -> Board:
        """The pictures, where the samples can be looked at; `brief`: to stand beside a table."""
        tiles = tuple(
            Tile(mistake.label(brief=brief), mistake.picture)
            for mistake in self.mistakes
            if mistake.picture is not None
        )
        reading = ("true class > predicted",) if self.wrong is not None else ()
        row = Row(("largest loss first", *reading), "mistakes", tiles)
        sheets = (Sheet("mistakes", (row,), notes=(self.summary,)),) if tiles else ()
        return Board("mistakes", Subject(self.samples), sheets)

    @property
    def summary(self) -> str:
        """How the network does on all of them."""
        wrong = "" if self.wrong is None else f", {self.wrong:,} taken for another class"
        return f"{self.count:,} samples, mean loss {self.loss:.4g}{wrong}"


def largest(losses: Array, count: int) -> list[int]:
    """The places of the `count` largest of (N,), NaN first; equal ones in their order."""
    return np.argsort(np.where(np.isnan(losses), -np.inf, -losses), kind="stable")[:count].tolist()  # type: ignore[no-any-return]
