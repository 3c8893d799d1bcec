"""What is in a data set, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, ...]
Severity = Literal["wrong", "warning"]
Verdict = Literal["wrong", "warnings", "fine"]


@dataclass(frozen=True)
class SplitFacts:
    """One split."""

    name: str
    samples: int
    shape: Shape
    """Of a sample as it is stored, or decoded."""
    dtype: str
    low: float | None
    """The least and the largest finite number; None where there is none."""
    high: float | None
    mean: tuple[float, ...]
    """Of each channel, over the finite numbers, bytes being 0..1: in the units of data.normalize."""
    std: tuple[float, ...]
    targets: str
    """What is right for them, in words: "0 to 9"."""
    smallest: tuple[int, int] | None = None
    """Width and height of the smallest and largest picture in its file; None where samples are no files."""
    largest: tuple[int, int] | None = None


@dataclass(frozen=True)
class ClassCount:
    """How many samples of a class, or with a label, each split has."""

    class_: int
    name: str
    samples: Mapping[str, int]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    kind: str
    """What it is, in a word: "unreadable", "leakage"."""
    split: str
    count: int
    """How many samples it concerns."""
    message: str
    examples: tuple[str, ...] = ()
    """The samples: all that are unreadable, of others the first few."""


@dataclass(frozen=True)
class DataCheck:
    """A data set."""

    source: str
    verdict: Verdict
    splits: tuple[SplitFacts, ...]
    classes: tuple[ClassCount, ...]
    """Empty where the targets are other numbers."""
    findings: tuple[Finding, ...]
    """What is wrong, then what may be."""
