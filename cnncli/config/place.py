"""Where something stands, and the problems found there."""

from __future__ import annotations

from dataclasses import dataclass

from cnncli.errors import Problem


@dataclass(frozen=True, slots=True)
class Place:
    """A file with a line and a column (from 1), or an argument without."""

    file: str
    line: int | None = None
    column: int | None = None

    def problem(self, message: str) -> Problem:
        """A mistake that is made here."""
        return Problem(self.file, self.line, self.column, message)

    @property
    def on_line(self) -> str:
        """` on line 7`, to follow what stands here; empty where it has no line."""
        return f" on line {self.line}" if self.line else ""


class Problems(list[Problem]):
    """The mistakes found so far; what reads a part of the configuration adds to it and goes on."""

    def add(self, place: Place, message: str) -> None:
        """One more."""
        self.append(place.problem(message))
