"""Along which directions a tensor is moved. Dense ones see every element at once, single elements say where.

One wrong entry of a kernel escapes twenty random elements, but no random direction.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DIRECTIONS = 4
ELEMENTS = 12
"""So many of each for every tensor."""


def numbers_for(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that nothing but the seed and these names decides, however many were drawn for other names."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


@dataclass(frozen=True, eq=False)
class Probe:
    """A unit vector in the space of a tensor; `index` where it is a single element."""

    direction: Array
    index: tuple[int, ...] | None = None


def dense(support: Array, rng: np.random.Generator) -> Probe:
    """A random direction that moves the elements where `support` is true, all of them."""
    direction = rng.normal(size=support.shape) * support
    return Probe(direction / np.linalg.norm(direction))


def single(index: tuple[int, ...], shape: tuple[int, ...]) -> Probe:
    """One element alone."""
    direction = np.zeros(shape)
    direction[index] = 1
    return Probe(direction, index)


def elements(gradient: Array, count: int, rng: np.random.Generator) -> list[Probe]:
    """A third of them the largest of the gradient, then the corners, then random ones; all, if there are few."""
    flat = np.abs(gradient).ravel()
    largest = np.argsort(-flat, kind="stable")[: -(-count // 3)]
    corners = [0, flat.size - 1] if count > 2 else []
    wanted = dict.fromkeys([*largest.tolist(), *corners, *rng.permutation(flat.size)[:count].tolist()])
    return [single(_place(index, gradient.shape), gradient.shape) for index in list(wanted)[:count]]


def supports(values: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Which elements to move, ever fewer, (N, ...) masks: all; those that do not have their channel's commonest
    value, which is the background of a picture; random ones of these, down to one.

    Pixels of a uniform area cannot be moved apart without meeting the corners of max pooling.
    """
    everything = np.ones(values.shape, np.bool_)
    yield everything
    varied = _varied(values) if values.ndim > 2 else everything
    if not varied.any():
        varied = everything
    yield varied
    places = np.argwhere(varied)
    count = len(places)
    while count > 1:
        count = max(1, count // 16)
        mask = np.zeros(values.shape, np.bool_)
        mask[tuple(places[rng.permutation(len(places))[:count]].T)] = True
        yield mask


def _varied(values: Array) -> Array:
    """Where an element of (N, C, ...) does not have the value that is the commonest in its channel."""
    mask = np.ones(values.shape, np.bool_)
    for channel in range(values.shape[1]):
        found, counts = np.unique(values[:, channel], return_counts=True)
        mask[:, channel] = values[:, channel] != found[counts.argmax()]
    return mask


def _place(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape))
