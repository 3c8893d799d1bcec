"""Numbers as lines, histograms or clouds of points: plain data, drawn by `cnncli.render` in the terminal and as PNG.

Chart("accuracy", (Series("train", (1, 2, 3), (0.5, 0.7, 0.8)),), x_name="epoch")
Chart("conv1.weight", (Series("", edges, counts),), kind="steps", log_y=True)
Chart("linear2", tuple(Series(name, xs, ys) for ... in classes), kind="points", x_name="1st", y_name="2nd")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "steps", "points"]


@dataclass(frozen=True)
class Series:
    """One line, one histogram, or the points of one class. What is not finite is not drawn: in a line it is a gap."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    """As many as `x`; of steps one fewer, as step i reaches from x[i] to x[i + 1]."""


@dataclass(frozen=True)
class Chart:
    """Series with the same axes; any number of points, told apart for up to about a hundred series."""

    title: str
    series: tuple[Series, ...]
    kind: Kind = "lines"
    """"lines": each point joined to the next. "steps": level tops, filled down to the axis. "points": no lines."""
    x_name: str = ""
    y_name: str = ""
    log_y: bool = False
    """Powers of ten are equally far apart; what is not positive is not drawn."""
    from_zero: bool = False
    """The values' axis begins at 0, or below; steps always do, unless `log_y`."""
    marks: tuple[tuple[float, str], ...] = ()
    """Level lines with what they mean: (1e-3, "healthy")."""
    uprights: tuple[tuple[float, str], ...] = ()
    """Upright lines with what they mean: (12, "best epoch")."""
    notes: tuple[str, ...] = ()
    """Printed under the title."""


@dataclass(frozen=True)
class Charts:
    """Charts that are looked at together; `view` is their name on the command line, and of the file."""

    view: str
    name: str
    """What they are about: a run directory, an input."""
    charts: tuple[Chart, ...]
    notes: tuple[str, ...] = ()
    """Said once, under all of them."""
