"""What the rest of the program sees of a data set: splits that give normalised batches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnncli.data.augmentation import Augmentation
from cnncli.data.display import to_picture
from cnncli.data.normalization import Normalization, Scaling
from cnncli.data.stores import Store, prefetch
from cnncli.errors import DataError

Array = NDArray[Any]
Shape = tuple[int, ...]

Sampling = Literal["shuffle", "balanced"]

SPLITS = ("train", "val", "test")
SPLIT_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Which split is meant, by what folders and lists may call it."""


@dataclass(frozen=True, eq=False)
class Split:
    """Some rows of a store of samples, which several splits may share and which may lie in files.

    `store` is (M, *shape as stored), bytes or numbers: an array, or what reads like one; `rows` says which of its
    samples this split has; `targets` is (N,) int64 classes or (N, *shape) float32; `shape` is a sample as the
    network takes it.
    """

    store: Array | Store
    rows: NDArray[np.int64]
    targets: Array
    shape: Shape
    scaling: Scaling

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def inputs(self) -> Array:
        """All samples as stored, (N, *shape): read, decoded and copied as a whole."""
        return self.store[self.rows].reshape(len(self), *self.shape)

    def batch(self, indices: ArrayLike) -> tuple[NDArray[np.float32], Array]:
        """Normalised inputs, float32 (n, *shape), and targets, (n, ...), of the samples at `indices`."""
        indices = np.asarray(indices)
        x = self.scaling.apply(self.raw(indices))
        return x.reshape(len(indices), *self.shape), self.targets[indices]

    def raw(self, indices: ArrayLike) -> Array:
        """The samples at `indices` as they are stored, (n, *shape as stored): a copy."""
        taken: Array = self.store[self.rows[np.asarray(indices)]]
        return taken

    def take(self, indices: ArrayLike) -> Split:
        """The samples at `indices`, in that order, as a split of their own: nothing but their targets is copied."""
        indices = np.asarray(indices)
        return replace(self, rows=self.rows[indices], targets=self.targets[indices])

    def prefetch(self, indices: ArrayLike) -> None:
        """Says that these samples are asked for next: where they have to be decoded first, that begins."""
        prefetch(self.store, self.rows[np.asarray(indices)])

    def display(self, index: int) -> NDArray[np.uint8]:
        """Sample `index` as a picture, not normalised: (H, W), or (H, W, 3) in colour."""
        return to_picture(self.store[self.rows[index]])


@dataclass(frozen=True, eq=False)
class Dataset:
    """The splits, the names of the classes, and what the inputs were normalised by."""

    train: Split
    val: Split | None
    test: Split | None
    class_names: tuple[str, ...] | None
    normalization: Normalization | None
    augment: tuple[Augmentation, ...] = ()  # of training samples, one after the other
    sampling: Sampling = "shuffle"  # in which order, and how often, training samples are visited

    @property
    def splits(self) -> dict[str, Split]:
        """Those that there are, by name."""
        named = zip(SPLITS, (self.train, self.val, self.test), strict=True)
        return {name: split for name, split in named if split is not None}

    @property
    def held_out(self) -> str:
        """The name of the split that training sees the least of: test, or val where there is none, or train."""
        return list(self.splits)[-1]

    def split(self, name: str) -> Split:
        """The split of that name. Raises DataError if the data has none."""
        present = self.splits
        if name not in present:
            fixes = {"val": "; set data.validation", "test": "; set data.test"}
            raise DataError(f"the data has no split {name!r}; it has {', '.join(present)}{fixes.get(name, '')}")
        return present[name]
