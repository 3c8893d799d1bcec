"""Batches as the trainer takes them: in their order, augmented, normalised, and looked ahead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.ahead import looking_ahead
from cnncli.data.batches import (
    balanced_batches,
    batch_count,
    require_classes,
    sequential_batches,
    shuffled_batches,
)
from cnncli.data.dataset import Dataset, Split
from cnncli.data.normalization import Scaling, unit_of
from cnncli.graph import Graph
from cnncli.losses import Loss, are_classes

Array = NDArray[Any]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples of a split: normalised inputs, float32 (n, *shape), targets (n, ...), and which they are, (n,)."""

    x: NDArray[np.float32]
    targets: Array
    indices: Indices


class Loader:
    """The training split in batches, epoch after epoch.

    A batch depends on (seed, epoch, batch) alone, so that training can go on from any of them with the same bits.
    `classes` is how many classes class numbers stand for, so that they can be mixed; None where targets are others.
    Raises DataError where what `data` asks for does not fit the samples.
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int, classes: int | None) -> None:
        self._dataset, self._batch_size, self._seed = dataset, batch_size, seed
        self._classes = classes if any(augmentation.mixes for augmentation in dataset.augment) else None
        self.batches = batch_count(len(dataset.train), batch_size)
        """In one epoch."""
        self.waited = 0.0
        """Seconds for which the trainer has waited for data."""
        shape = dataset.train.store.shape[1:]
        for augmentation in dataset.augment:
            augmentation.check(shape)
        if dataset.sampling == "balanced":
            require_classes(dataset.train.targets)
        self._scaling = Scaling.of(dataset.normalization, np.float32, shape)  # of bytes that have become 0..1

    @classmethod
    def of(cls, dataset: Dataset, loss: Loss, graph: Graph, batch_size: int, seed: int) -> Loader:
        """For a network with this graph, and its loss: these tell how many classes class numbers stand for."""
        shape = graph.shape_of(graph.logits(loss.link))
        return cls(dataset, batch_size, seed, shape[0] if are_classes(dataset.train.targets, shape) else None)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from 1 on, beginning with batch `start`, from 0 on."""
        started = perf_counter()
        batches = self.order(number)[start:]
        for place, indices in enumerate(looking_ahead(batches, self._dataset.train.prefetch), start):
            batch = self.batch(number, place, indices)
            self.waited += perf_counter() - started
            yield batch
            started = perf_counter()

    def batch(self, epoch: int, place: int, indices: Indices) -> Batch:
        """These samples as batch `place`, from 0 on, of an epoch."""
        return self._augmented(indices, epoch, place) if self._dataset.augment else self._plain(indices)

    def order(self, epoch: int) -> list[Indices]:
        """Which samples the batches of an epoch hold."""
        train = self._dataset.train
        if self._dataset.sampling == "balanced":
            return list(balanced_batches(train.targets, self._batch_size, self._seed, epoch))
        return list(shuffled_batches(len(train), self._batch_size, self._seed, epoch))

    def _plain(self, indices: Indices) -> Batch:
        return Batch(*self._dataset.train.batch(indices), indices)

    def _augmented(self, indices: Indices, epoch: int, batch: int) -> Batch:
        train = self._dataset.train
        stored = train.raw(indices)
        x, unit = stored.astype(np.float32), unit_of(stored.dtype)
        if unit != 1:
            x /= unit
        targets = train.targets[indices]
        if self._classes is not None:
            targets = _shares(targets, self._classes)
        for place, augmentation in enumerate(self._dataset.augment):
            # Spawn keys: these streams are apart from those of the order, whatever the seed.
            stream = np.random.SeedSequence(self._seed, spawn_key=(epoch, batch, place))
            x, targets = augmentation.apply(x, targets, np.random.default_rng(stream))
        if unit != 1:
            np.clip(x, 0, 1, out=x)  # there is nothing darker than black
        return Batch(self._scaling.apply(x).reshape(len(indices), *train.shape), targets, indices)


def in_order(split: Split, batch_size: int) -> Iterator[Batch]:
    """All samples of a split as they are, one after the other."""
    batches = list(sequential_batches(len(split), batch_size))
    for indices in looking_ahead(batches, split.prefetch):
        yield Batch(*split.batch(indices), indices)


def _shares(numbers: Array, classes: int) -> NDArray[np.float32]:
    """Class numbers (n,) as a share of each class, (n, K): 1 for the sample's own."""
    return np.equal(numbers[:, None], np.arange(classes)).astype(np.float32)
