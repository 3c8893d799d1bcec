"""A network laid out in lanes, as a railway diagram: every connection runs straight down a lane of its own, beside the
layers, and changes lanes only between two rows.

A value that several layers read has a lane for each that reads it alone, and one for all that read it with others
(add, concat): so branches run side by side, and a shortcut runs beside its block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Inputs = Mapping[str, Sequence[str]]
"""What every layer reads, by name, in an order in which what is read comes first."""
Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Run:
    """A value's way down a lane, from the layer that makes it to those that read it there, the last one last."""

    source: str
    readers: tuple[str, ...]
    lane: int


@dataclass(frozen=True)
class Layout:
    """Where the layers stand and how they are connected."""

    rows: Rows
    lane: Mapping[str, int]
    """Of every layer."""
    runs: tuple[Run, ...]
    lanes: int
    """How many there are."""

    @cached_property
    def row(self) -> dict[str, int]:
        """Of every layer."""
        return {name: number for number, names in enumerate(self.rows) for name in names}

    def crossing(self, row: int) -> list[Run]:
        """The runs that go on from this row to the next."""
        return [run for run in self.runs if self.row[run.source] <= row < self.row[run.readers[-1]]]


def one_by_one(inputs: Inputs) -> Rows:
    """Each layer in a row of its own."""
    return [(name,) for name in inputs]


def by_depth(inputs: Inputs) -> Rows:
    """Layers that are equally far from the input, on the longest way, side by side."""
    depth: dict[str, int] = {}
    for name, sources in inputs.items():
        depth[name] = 1 + max((depth[source] for source in sources), default=-1)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, row in depth.items():
        rows[row].append(name)
    return [tuple(row) for row in rows]


def lay_out(inputs: Inputs, rows: Rows) -> Layout:
    """Gives each layer and each connection its lane."""
    tracks = _Tracks(inputs, [name for row in rows for name in row])
    lane: dict[str, int] = {}
    for row in rows:
        for name in row:
            lane[name] = tracks.arrive(name)
        for name in row:
            tracks.depart(name, lane[name])
    return Layout(rows, lane, tuple(tracks.runs), len(tracks.busy))


@dataclass
class _Tracks:
    """Which lanes are taken, from row to row."""

    inputs: Inputs
    order: Sequence[str]
    busy: list[bool] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    def arrive(self, name: str) -> int:
        """The lane of a layer: the leftmost of the runs that end there; where none does, a new one beside them."""
        incoming = [run for run in self.runs if name in run.readers]
        ending = [run.lane for run in incoming if run.readers[-1] == name]
        for lane in ending:
            self.busy[lane] = False
        lane = min(ending) if ending else self._free(min((run.lane for run in incoming), default=0))
        self.busy[lane] = True
        return lane

    def depart(self, name: str, lane: int) -> None:
        """The first of its runs goes on in the layer's lane, the others in lanes to the right."""
        self.busy[lane] = False
        for readers in self._groups(name):
            free = self._free(lane)
            self.busy[free] = True
            self.runs.append(Run(name, readers, free))

    def _groups(self, name: str) -> list[tuple[str, ...]]:
        readers = [other for other in self.order if name in self.inputs[other]]
        alone = [(other,) for other in readers if len(self.inputs[other]) == 1]
        together = tuple(other for other in readers if len(self.inputs[other]) > 1)
        return sorted([*alone, *([together] if together else [])], key=lambda group: self.order.index(group[0]))

    def _free(self, lane: int) -> int:
        """The next lane from this one rightwards that is not taken."""
        while lane < len(self.busy) and self.busy[lane]:
            lane += 1
        while lane >= len(self.busy):
            self.busy.append(False)
        return lane
