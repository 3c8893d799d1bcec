"""Reads every sample of a split once, and keeps what tells good data from bad: a few bytes a sample."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.ahead import looking_ahead
from cnncli.data.dataset import Split
from cnncli.data.spread import Spread, by_channel
from cnncli.data.stores import Pictures, UnreadableError
from cnncli.errors import DataError

Array = NDArray[Any]
Sizes = dict[tuple[int, int], int]
"""How many pictures are (width, height) in their files."""

CHUNK = 1 << 20
"""Numbers that are looked at together, at least one sample."""
DIGEST = 16
"""Bytes that stand for a sample: of 2^128 pairs that differ, one has the same ones."""


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
    """The same scan again and again as it goes, with more of the samples in it; the last time with all.

    Decoded pictures are kept no longer: each is looked at once.
    """
    shape, pictures = split.store.shape[1:], _pictures(split)
    if pictures is not None:
        pictures.keep_none()
    found = Scan(split, Spread.of_none(shape[0]), np.zeros((len(split), DIGEST), np.uint8))
    step = max(CHUNK // math.prod(shape), 1)
    pieces = [np.arange(start, min(start + step, len(split))) for start in range(0, len(split), step)]
    for indices in looking_ahead(pieces, split.prefetch):
        for good, samples in _readable(split, indices, found.unreadable):
            _look(found, good, samples)
        found.seen += len(indices)
        yield found


def name_of(split: Split, name: str, index: int) -> str:
    """A picture's path; of what is no file of its own "train:17"."""
    pictures = _pictures(split)
    return f"{name}:{index}" if pictures is None else str(pictures.path(int(split.rows[index])))


def _pictures(split: Split) -> Pictures | None:
    """The store, if each sample is a file."""
    return split.store if isinstance(split.store, Pictures) else None


def _readable(split: Split, indices: Array, unreadable: dict[int, str]) -> Iterator[tuple[Array, Array]]:
    """The samples but for those that cannot be read."""
    try:
        samples = split.raw(indices)
    except UnreadableError as error:
        reasons = [error.reasons.get(row) for row in split.rows[indices].tolist()]
        unreadable |= {
            index: reason for index, reason in zip(indices.tolist(), reasons, strict=True) if reason is not None
        }
        others = indices[[reason is None for reason in reasons]]
        if len(others):
            yield from _readable(split, others, unreadable)
    else:
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
        by_channel(samples).astype(np.float64),
        None if whole or finite is None else by_channel(finite.reshape(samples.shape)),
    )
    if (pictures := _pictures(found.split)) is not None:
        for row in found.split.rows[indices].tolist():
            with suppress(DataError):  # of a file that has gone since it was read
                size = pictures.size_in_file(row)
                found.sizes[size] = found.sizes.get(size, 0) + 1


def _is_constant(samples: Array) -> NDArray[np.bool_]:
    """(n,), for (n, C, ...) and (n, F): whether every channel, or else all of a sample, is one number."""
    channels = samples.reshape(len(samples), samples.shape[1] if samples.ndim > 2 else 1, -1)
    return np.asarray((channels == channels[:, :, :1]).all(axis=(1, 2)))


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
    starts = np.concatenate([[0], np.flatnonzero(differs) + 1])
    sizes = np.diff(starts, append=len(order))
    several = sizes > 1
    groups = [where[order[start : start + size]] for start, size in zip(starts[several], sizes[several], strict=True)]
    return [
        Twins(tuple((names[split], int(index)) for split, index in group))
        for group in sorted(groups, key=lambda group: tuple(group[0]))
    ]
