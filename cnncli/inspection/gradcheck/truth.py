"""The true gradient element by element, from forward passes alone.

A forward pass for every element would take too long. But elements that have no term in common can be moved at once and
told apart by their terms: all samples, where none influences another; all filters; windows that lie side by side
(Curtis, Powell and Reid 1974, for Jacobians in general). What is independent of what is guessed from shapes and
windows, then tried, and the gradient that was put together is proved by its slopes along random directions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.functions import Function, is_input
from cnncli.inspection.gradcheck.oracles import slopes
from cnncli.inspection.gradcheck.sampling import dense
from cnncli.inspection.gradcheck.windows import Windows

Array = NDArray[Any]

WORK = 2e10
"""So many multiplications may be spent on one tensor: some seconds."""
TRIES = 2
"""A dependence is overlooked only if all that depends is on the same side of two random halves; a wrong gradient, only
if its error vanishes along two random directions."""
EXACT = 1e-9
"""Rounding leaves about 1e-12 of the sum's parts, and 1e-11 where differences stand in for complex steps."""


@dataclass(frozen=True)
class Link:
    """The terms at index i of one of their axes depend on the elements at first + i * stride to
    first + i * stride + extent - 1 along one axis of the tensor, and on no others."""

    axis: int
    term_axis: int
    first: int = 0
    stride: int = 1
    extent: int = 1

    def owners(self, offset: int, count: int) -> Array:
        """Which of the elements offset, offset + extent, ... each of `count` terms depends on; it may be outside."""
        start = self.first + np.arange(count) * self.stride
        owners: Array = start + (offset - start) % self.extent
        return owners

    def sees(self, moved: Array, count: int) -> Array:
        """Which of `count` terms depend on an element that is moved."""
        seen = [self.owners(offset, count) for offset in range(min(self.extent, len(moved)))]
        return np.asarray(np.isin(np.stack(seen), np.flatnonzero(moved)).any(axis=0))


def true_gradient(function: Function, name: str, cotangent: Array, rng: np.random.Generator) -> Array | None:
    """Of sum(cotangent * terms), like the tensor; None where that takes too long."""
    shape = function.tensors[name].shape
    links = {link.axis: link for link in _links(function, name) if _holds(link, function, name, rng)}
    periods = [min(links[axis].extent, size) if axis in links else size for axis, size in enumerate(shape)]
    if math.prod(periods) * function.work > WORK:
        return None
    gradient = _put_together(function, name, cotangent, links, periods)
    return gradient if _is_proved(gradient, function, name, cotangent, rng) else None


def _links(function: Function, name: str) -> Iterator[Link]:
    """What may be independent of each other: the samples, the channels, the positions; a parameter's channels."""
    shape, terms = function.tensors[name].shape, function.base.terms.shape
    channels = len(terms) > 1
    if not is_input(name):
        if channels and shape[0] == terms[0]:
            yield Link(0, 0)
        return
    yield Link(0, len(terms) - 1)
    if channels and shape[1] == terms[0]:
        yield Link(1, 0)
    if len(terms) != len(shape):
        return
    if len(shape) == 4 and function.windows is not None:
        yield from _positions(function.windows)
    else:
        yield from (Link(axis, axis - 1) for axis in range(2, len(shape)) if shape[axis] == terms[axis - 1])


def _positions(windows: Windows) -> Iterator[Link]:
    for axis, first, stride, extent in zip((2, 3), windows.first, windows.stride, windows.extent, strict=True):
        yield Link(axis, axis - 1, first, stride, extent)


def _holds(link: Link, function: Function, name: str, rng: np.random.Generator) -> bool:
    """Whether nothing else changes where random halves of the tensor are moved."""
    shape, terms = function.tensors[name].shape, function.base.terms.shape
    for _ in range(TRIES):
        moved = np.zeros(shape[link.axis], np.bool_)
        moved[rng.permutation(len(moved))[: (len(moved) + 1) // 2]] = True
        direction = rng.normal(size=shape) * moved.reshape([-1 if a == link.axis else 1 for a in range(len(shape))])
        others = ~link.sees(moved, terms[link.term_axis])
        if np.moveaxis(slopes(function, name, direction), link.term_axis, 0)[others].any():
            return False
    return True


def _put_together(
    function: Function, name: str, cotangent: Array, links: Mapping[int, Link], periods: Sequence[int]
) -> Array:
    """With every element's neighbours as far apart as `periods`. Along axes without a link each is moved alone."""
    shape = function.tensors[name].shape
    gradient = np.zeros(shape)
    kept = [links[axis].term_axis for axis in sorted(links)]
    summed = tuple(axis for axis in range(cotangent.ndim) if axis not in kept)
    order = np.argsort(np.argsort(kept)).tolist()  # the terms' axes that are kept, in the order of the tensor's
    for offsets in np.ndindex(*periods):
        direction = np.zeros(shape)
        direction[tuple(slice(o, None, links[a].extent) if a in links else o for a, o in enumerate(offsets))] = 1
        given = (cotangent * slopes(function, name, direction)).sum(axis=summed).transpose(order)
        owners = [
            links[axis].owners(offset, cotangent.shape[links[axis].term_axis]) if axis in links else np.array([offset])
            for axis, offset in enumerate(offsets)
        ]
        inside = [(found >= 0) & (found < size) for found, size in zip(owners, shape, strict=True)]
        given = given.reshape([len(found) for found in owners])[np.ix_(*inside)]
        np.add.at(gradient, np.ix_(*(found[mask] for found, mask in zip(owners, inside, strict=True))), given)
    return gradient


def _is_proved(gradient: Array, function: Function, name: str, cotangent: Array, rng: np.random.Generator) -> bool:
    """The scale is that of the sum's parts: where they cancel out nothing more can be asked for."""
    for _ in range(TRIES):
        direction = dense(np.ones(gradient.shape, np.bool_), rng).direction
        terms = cotangent * slopes(function, name, direction)
        found = gradient * direction
        scale = float(np.abs(terms).sum()) + float(np.abs(found).sum())
        if not abs(float(found.sum() - terms.sum())) <= EXACT * scale:
            return False
    return True
