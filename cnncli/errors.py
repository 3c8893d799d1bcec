"""Every error that a user can cause or meet.

    CnncliError
    ├── InputError          what was given is wrong                     exit code 2
    │   ├── ConfigError     the YAML or --set: one Problem per mistake
    │   ├── ShapeError      layers that do not fit one another
    │   ├── DataError       a data set, an image, labels
    │   ├── CheckpointError a weights file or a run directory
    │   └── UsageError      arguments that contradict one another
    └── OutcomeError        the input was right, the result is not      exit code 1
        ├── DivergedError   training met NaN or infinity
        └── OutputError     a result could not be written

A message names the place, what was given, what was expected, and the fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class CnncliError(Exception):
    """Base of the tree. `str(error)` is the whole message; it may have several lines."""

    exit_code = 2


class InputError(CnncliError):
    """What the user gave cannot be used."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a configuration: where it stands, what is wrong, how to mend it."""

    file: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        return f"{':'.join(place)}: {self.message}"


class ConfigError(InputError):
    """All the mistakes found in one configuration, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class ShapeError(InputError):
    """A layer cannot take the shapes it is given; the message holds the arithmetic and a fix.

    `option` names the layer's option that is at fault, where one is, so that the place of that
    option in the file can be shown; `node` is filled in by the graph.
    """

    def __init__(self, message: str, *, option: str | None = None, node: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.option = option
        self.node = node


class DataError(InputError):
    """A data set, an image or a label cannot be used."""


class CheckpointError(InputError):
    """A weights file or a run directory cannot be used."""


class UsageError(InputError):
    """Arguments that are each valid but do not go together."""


class OutcomeError(CnncliError):
    """The input was right, but what was asked for did not succeed."""

    exit_code = 1


class DivergedError(OutcomeError):
    """Training met a number that is not finite."""


class OutputError(OutcomeError):
    """A result could not be written (full disk, read-only directory, ...)."""
