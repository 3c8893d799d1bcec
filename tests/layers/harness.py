"""Runs one layer as the executor does, on arrays that are batch first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.layers import Layer
from cnncli.layers.base import Cache, Params
from cnncli.layers.run import Run

Array = NDArray[Any]


@dataclass(frozen=True)
class Passed:
    """What came out: batch first, the micro-batches together again."""

    y: Array
    dxs: tuple[Array | None, ...]
    gradients: Params
    buffers: Params
    caches: tuple[Cache, ...]
    lanes: list[list[Array]]  # the inputs of every micro-batch, batch last


def apply(
    layer: Layer,
    tensors: Mapping[str, Array],
    xs: Sequence[Array],
    dy: Array | None = None,
    *,
    training: bool = False,
    cuts: int = 1,
    owned: bool = False,
    needs: bool = True,
    keep: bool = True,
    spoil_output: bool = False,
    dtype: DTypeLike = np.float64,
) -> Passed:
    """Forward and, given dy, back. What the layer may not write to is read-only; fresh memory is full of rubbish."""
    tensors = {key: _frozen(a.astype(dtype) if a.dtype.kind != "i" else a) for key, a in tensors.items()}
    lanes = [[_lane(x[part], dtype, owned) for x in xs] for part in _parts(len(xs[0]), cuts)]
    runs = [_run(layer, lane, len(xs[0]), index, training, owned, needs, keep) for index, lane in enumerate(lanes)]
    coupled = layer.couples_batch and training
    buffers: Params = {}
    if coupled:
        totals = sum(layer.forward_sums(tensors, tuple(lane), run) for lane, run in zip(lanes, runs, strict=True))
        _give(runs, totals)
        buffers = layer.update_buffers(tensors, totals)
    passed = [layer.forward(tensors, tuple(lane), run) for lane, run in zip(lanes, runs, strict=True)]
    ys = [y for y, _ in passed]
    caches = tuple(cache for _, cache in passed)
    y = _joined(ys)
    for own in ys if spoil_output else ():
        own[...] = np.nan
    if dy is None:
        return Passed(y, (), {}, buffers, caches, lanes)
    dys = [_lane(dy[part], dtype, owned) for part in _parts(len(dy), cuts)]
    back = list(zip(caches, dys, runs, strict=True))
    if coupled:
        _give(runs, sum(layer.backward_sums(tensors, cache, piece, run) for cache, piece, run in back))
    results = [layer.backward(tensors, cache, piece, run) for cache, piece, run in back]
    dxs = tuple(None if pieces[0] is None else _joined(pieces) for pieces in zip(*(r[0] for r in results), strict=True))
    gradients = {key: sum(r[1][key] for r in results) for key in results[0][1]}
    return Passed(y, dxs, gradients, buffers, caches, lanes)


def _run(
    layer: Layer, lane: list[Array], batch: int, index: int, training: bool, owned: bool, needs: bool, keep: bool
) -> Run:
    count = len(lane)
    return Run(
        lane[0].dtype,
        training,
        batch,
        needs=(needs,) * count,
        owned=(owned,) * count,
        owns_dy=owned,
        keep=keep,
        generator=lambda: np.random.default_rng(index),
        empty=rubbish,
    )


def rubbish(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """What memory that is used again may hold."""
    array = np.empty(shape, dtype)
    array[...] = np.nan if array.dtype.kind in "fc" else 113
    return array


def _give(runs: list[Run], totals: Any) -> None:
    for run in runs:
        run.totals = totals


def _parts(count: int, cuts: int) -> list[slice]:
    edges = [count * i // cuts for i in range(cuts + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _lane(x: Array, dtype: DTypeLike, owned: bool) -> Array:
    """Batch last, as a new array."""
    lane = np.array(np.moveaxis(x, 0, -1), dtype, order="C")
    return lane if owned else _frozen(lane)


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _joined(pieces: Sequence[Array]) -> Array:
    """Micro-batches, batch last, to one batch, batch first."""
    return np.array(np.moveaxis(np.concatenate(pieces, axis=-1), -1, 0), order="C")
