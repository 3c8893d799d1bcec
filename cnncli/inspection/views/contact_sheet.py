"""Samples as a network gets them in training, beside what they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile
from cnncli.wording import plural

Array = NDArray[Any]

NORMALISED = "normalised for the network; drawn before that"


@dataclass(frozen=True, eq=False)
class Version:
    """What the network gets of a sample in one epoch."""

    epoch: int
    batch: int
    """From 1 on."""
    label: str
    """What the network is to say of it: "Coat", "70% Coat, 30% Bag", numbers."""
    picture: Array

    def title(self, original: str) -> str:
        """ "epoch 2"; with the label, where that is another than the `original`."""
        return f"epoch {self.epoch}" + ("" if self.label == original else f": {self.label}")


@dataclass(frozen=True, eq=False)
class Shown:
    """A sample, and what the augmentation makes of it."""

    input: str
    """As --input takes it: "train:17"."""
    label: str
    picture: Array
    versions: tuple[Version, ...]
    """One for each epoch in which it is visited; none where nothing is augmented."""

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """As it is, then its versions."""
        return (Tile("original", self.picture), *(Tile(each.title(self.label), each.picture) for each in self.versions))


@dataclass(frozen=True, eq=False)
class ContactSheet:
    """Some samples of a split."""

    split: str
    epoch: int | None
    """The first one shown, in whose order the samples are; None where they are spread over their split."""
    batch_size: int
    sampling: str
    augment: tuple[str, ...]
    """What is done to them, one after the other: "{type: crop, padding: 4}"."""
    normalised: bool
    samples: tuple[Shown, ...]

    def board(self) -> Board:
        """A row for each sample, its versions beside it; all in one where there are none."""
        if any(shown.versions for shown in self.samples):
            rows = tuple(Row((shown.input, shown.label), "samples", shown.tiles) for shown in self.samples)
        else:
            tiles = tuple(Tile(f"{shown.input}: {shown.label}", shown.picture) for shown in self.samples)
            rows = (Row((), "samples", tiles),)
        stem = self.split if self.epoch is None else f"{self.split}_epoch{self.epoch}"
        return Board("data-show", Subject(self.about), (Sheet(stem, rows, notes=self.notes),))

    @property
    def about(self) -> str:
        """Which samples they are."""
        if self.epoch is None:
            return f"{plural(len(self.samples), 'sample')} of {self.split}, evenly spread"
        return f"the first {plural(len(self.samples), 'sample')} of {self.split} in epoch {self.epoch}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What happens to them."""
        done = [f"augment: [{', '.join(self.augment)}]"] if self.epoch is not None else []
        order = [f"sampling: {self.sampling}, batches of {self.batch_size}"] if self.epoch is not None else []
        return (*done, *order, *([NORMALISED] if self.normalised else []))
