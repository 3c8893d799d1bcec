"""Brings arrays as people store them into the form that splits have, without copying inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.stores import Store, unmapped
from cnncli.errors import DataError

Array = NDArray[Any]
Shape = tuple[int, ...]

_PICTURE_CHANNELS = (1, 3, 4)


def arrange_inputs(inputs: Array | Store, shape: Shape, where: str) -> Array | Store:
    """`inputs` as (M, C, H, W), (M, C, L) or (M, F), for a network that takes `shape`.

    Taken are (M, *shape); one channel without its axis; channels last; flat samples of as many numbers; and
    pictures for a flat network of as many inputs, which stay pictures. Raises DataError, with the fix, for others.
    A large array in a mapped file is read from it at constant memory.
    """
    if inputs.ndim < 2:
        raise DataError(f"{where}: has shape {inputs.shape}; expected samples along the first axis: (N, height, width)")
    pictures = _channels_first(inputs, shape) if isinstance(inputs, np.ndarray) else inputs
    if pictures.shape[1:] == shape or (len(shape) == 1 and math.prod(pictures.shape[1:]) == shape[0]):
        return unmapped(pictures) if isinstance(pictures, np.ndarray) else pictures
    given = list(pictures.shape[1:])
    raise DataError(f"{where}: the samples are {given}, but model.input is {list(shape)}; set model.input to {given}")


def _channels_first(inputs: Array, shape: Shape) -> Array:
    item = inputs.shape[1:]
    if item == shape:
        return inputs
    if len(item) == 1 and math.prod(shape) == item[0]:
        return inputs.reshape(-1, *shape)
    if len(item) == 2:
        return inputs[:, None]
    if len(item) == 3:
        moved = np.moveaxis(inputs, -1, 1)
        if moved.shape[1:] == shape or (item[2] in _PICTURE_CHANNELS and item[0] not in _PICTURE_CHANNELS):
            return moved
    return inputs


def clean_targets(targets: Array, where: str) -> Array:
    """Classes as (M,) int64, from integers (M,) or (M, 1); any other targets as (M, *shape) float32.

    Real numbers (M,) become (M, 1), the shape that one output has. Raises DataError for a negative class and
    for numbers that are not finite.
    """
    if targets.ndim == 0:
        raise DataError(f"{where}: is a single number; expected one target a sample")
    if targets.dtype.kind in "biu" and math.prod(targets.shape[1:]) == 1:
        classes = targets.reshape(-1).astype(np.int64)
        _require(classes >= 0, classes, where, "a class number from 0 on")
        return classes
    with np.errstate(over="ignore"):
        numbers = targets.astype(np.float32)
    numbers = numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers
    _require(np.isfinite(numbers), numbers, where, "a finite number")
    return numbers


def _require(good: NDArray[np.bool_], numbers: Array, where: str, expected: str) -> None:
    if not good.all():
        first = tuple(int(index) for index in np.argwhere(~good)[0])
        raise DataError(f"{where}: the target of sample {first[0]} is {numbers[first]}; expected {expected}")
