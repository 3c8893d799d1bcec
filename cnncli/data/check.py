"""Reads every sample of a split once, and keeps what tells good data from bad: a few bytes a sample."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Split
from cnncli.data.stores import Pictures
from cnncli.errors import DataError

Array = NDArray[Any]
Sizes = dict[tuple[int, int], int]
"""How many pictures are (width, height) in their files."""

CHUNK = 1 << 20
"""Numbers that are looked at together, at least one sample."""
DIGEST = 16
"""Bytes that stand for a sample: two that differ have the same ones once in 2^64 pairs, or so."""
_ADVICE = "; 'cnncli data check' lists all such files"
"""Is said of pictures that cannot be read, but for here."""


@dataclass(eq=False)
class Spread:
    """Mean and standard deviation of the finite numbers of each channel, chunk by chunk.

    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    count: NDArray[np.float64]  # (C,)
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]  # of the distances from the mean, summed

    @classmethod
    def of_none(cls, channels: int) -> Spread:
        """Before the first chunk."""
        return cls(*np.zeros((3, channels)))

    def add(self, values: NDArray[np.float64], finite: NDArray[np.bool_] | None) -> None:
        """(C, numbers); `finite` says which of them count, None if all do."""
        with np.errstate(over="ignore", invalid="ignore"):
            kept = values if finite is None else np.where(finite, values, 0)
            count = np.full(len(values), values.shape[1], np.float64) if finite is None else finite.sum(axis=1)
            mean = kept.sum(axis=1) / np.maximum(count, 1)
            distance = values - mean[:, None]
            squares = np.square(distance if finite is None else np.where(finite, distance, 0)).sum(axis=1)
            total = np.maximum(self.count + count, 1)
            delta = mean - self.mean
            self.squares += squares + delta**2 * (self.count * count / total)
            self.mean += delta * (count / total)
        self.count += count

    @property
    def std(self) -> NDArray[np.float64]:
        """(C,)."""
        return np.asarray(np.sqrt(self.squares / np.maximum(self.count, 1)))


@dataclass(eq=False)
class Scan:
    """What was found in a split. Samples are told by their index in it."""

    split: Split
    spread: Spread
    digests: NDArray[np.uint8]  # (N, DIGEST); 0 for what could not be read
    seen: int = 0
    """How many of the samples were looked at."""
    low: float = math.inf
    high: float = -math.inf
    unreadable: dict[int, str] = field(default_factory=dict)
    """Each with the reason."""
    nonfinite: list[int] = field(default_factory=list)
    constant: list[int] = field(default_factory=list)
    """Samples of which every channel is one number."""
    sizes: Sizes = field(default_factory=dict)


def scan(split: Split) -> Iterator[Scan]:
    """The same scan again and again as it goes, with more of the samples in it; the last time with all."""
    shape = split.store.shape[1:]
    found = Scan(split, Spread.of_none(shape[0]), np.zeros((len(split), DIGEST), np.uint8))
    step = max(CHUNK // math.prod(shape), 1)
    pieces = [np.arange(start, min(start + step, len(split))) for start in range(0, len(split), step)]
    for place, indices in enumerate(pieces):
        if place + 1 < len(pieces):
            split.prefetch(pieces[place + 1])
        for good, samples in _readable(split, indices, found.unreadable):
            _look(found, good, samples)
        found.seen += len(indices)
        yield found


def name_of(split: Split, name: str, index: int) -> str:
    """A picture's path; of what is no file of its own "train:17"."""
    store = split.store
    return str(store.path(int(split.rows[index]))) if isinstance(store, Pictures) else f"{name}:{index}"


def _readable(split: Split, indices: Array, unreadable: dict[int, str]) -> Iterator[tuple[Array, Array]]:
    """The samples all together; one by one where some cannot be read."""
    try:
        samples = split.raw(indices)
    except DataError as error:
        if len(indices) == 1:
            unreadable[int(indices[0])] = str(error).removesuffix(_ADVICE)
            return
        for index in indices:
            yield from _readable(split, np.array([index]), unreadable)
        return
    yield indices, samples


def _look(found: Scan, indices: Array, samples: Array) -> None:
    samples = np.ascontiguousarray(samples)
    flat = samples.reshape(len(samples), -1)
    for index, row in zip(indices.tolist(), flat, strict=True):
        found.digests[index] = np.frombuffer(hashlib.blake2b(row.data, digest_size=DIGEST).digest(), np.uint8)
    found.constant += indices[_is_constant(samples)].tolist()
    finite = np.isfinite(flat) if samples.dtype.kind == "f" else None
    if finite is not None and not finite.all():
        found.nonfinite += indices[~finite.all(axis=1)].tolist()
    kept = flat if finite is None else flat[finite]
    if kept.size:
        found.low, found.high = min(found.low, float(kept.min())), max(found.high, float(kept.max()))
    whole = finite is None or bool(finite.all())
    found.spread.add(
        _by_channel(samples).astype(np.float64),
        None if whole or finite is None else _by_channel(finite.reshape(samples.shape)),
    )
    if isinstance(found.split.store, Pictures):
        for index in indices:
            size = _size(found.split.store, int(found.split.rows[index]))
            found.sizes[size] = found.sizes.get(size, 0) + 1


def _is_constant(samples: Array) -> NDArray[np.bool_]:
    """(n,), for (n, C, ...) and (n, F): whether every channel, or else all of a sample, is one number."""
    channels = samples.reshape(len(samples), samples.shape[1] if samples.ndim > 2 else 1, -1)
    return np.asarray((channels == channels[:, :, :1]).all(axis=(1, 2)))


def _by_channel(samples: Array) -> Array:
    """(n, C, ...) as (C, numbers)."""
    return np.moveaxis(samples, 1, 0).reshape(samples.shape[1], -1)


def _size(store: Pictures, row: int) -> tuple[int, int]:
    """Width and height in the file, of which no more than the header is read."""
    from PIL import Image  # noqa: PLC0415 - slow to load, and needed for pictures alone

    with Image.open(store.path(row)) as image:
        return image.size


@dataclass(frozen=True)
class Twins:
    """Samples that are the same, bit for bit, as (split, index), in the order of the splits."""

    members: tuple[tuple[str, int], ...]


def twins(scans: Mapping[str, Scan]) -> list[Twins]:
    """All groups of two and more; what is unreadable or of one colour has no twins."""
    names, parts, digests = list(scans), [], []
    for place, found in enumerate(scans.values()):
        good = np.ones(len(found.digests), np.bool_)
        good[[*found.unreadable, *found.constant]] = False
        indices = np.flatnonzero(good)
        parts.append(np.stack([np.full(len(indices), place), indices], axis=1))
        digests.append(found.digests[indices])
    where = np.concatenate(parts)  # (N, 2)
    keys = np.concatenate(digests).view(np.uint64)  # (N, 2)
    order = np.lexsort(keys.T)
    differs = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    groups = [where[group] for group in np.split(order, np.flatnonzero(differs) + 1) if len(group) > 1]
    return [
        Twins(tuple((names[split], int(index)) for split, index in group))
        for group in sorted(groups, key=lambda group: tuple(group[0]))
    ]
