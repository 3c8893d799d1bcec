"""From what a file holds to what the network sees: bytes to 0..1, then (x - mean) / std for each channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from cnncli.data.ahead import looking_ahead
from cnncli.data.spread import Spread, by_channel
from cnncli.data.stores import Store, prefetch
from cnncli.errors import DataError

_CHUNK = 1 << 20  # numbers that are held in double precision at a time


def unit_of(dtype: DTypeLike) -> float:
    """What stands for 1 in stored numbers: 255 in bytes."""
    return 255.0 if np.dtype(dtype) == np.uint8 else 1.0


def _listed(value: object) -> object:
    return (value,) if isinstance(value, int | float) else value


class Normalization(BaseModel):
    """(x - mean) / std, where bytes have become x / 255 before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: Annotated[tuple[FiniteFloat, ...], BeforeValidator(_listed), Field(min_length=1)] = Field(
        description="subtracted: one number a channel, or one for all"
    )
    std: Annotated[tuple[Annotated[FiniteFloat, Field(gt=0)], ...], BeforeValidator(_listed), Field(min_length=1)] = (
        Field(description="divided by: one number a channel, or one for all")
    )


@dataclass(frozen=True, eq=False)
class Scaling:
    """y = (x - offset) / divisor, in float32; None leaves a step out."""

    offset: NDArray[np.float32] | None = None  # (C, 1, ...)
    divisor: NDArray[np.float32] | None = None  # (C, 1, ...)

    @classmethod
    def of(cls, normalization: Normalization | None, dtype: DTypeLike, shape: tuple[int, ...]) -> Scaling:
        """For samples of `shape` and `dtype`: (x/255 - mean) / std = (x - 255 mean) / (255 std) for bytes."""
        unit = unit_of(dtype)
        if normalization is None:
            return cls(divisor=None if unit == 1 else np.array([unit], np.float32))
        mean, std = (_by_channel(name, getattr(normalization, name), shape) for name in ("mean", "std"))
        return cls((unit * mean).astype(np.float32), (unit * std).astype(np.float32))

    def apply(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """A new array; `x` is (N, *shape)."""
        y = x.astype(np.float32, order="C")
        if self.offset is not None:
            y -= self.offset
        if self.divisor is not None:
            y /= self.divisor
        return y

    def undo(self, y: NDArray[Any]) -> NDArray[np.float64]:
        """What `apply` has made y, (..., *shape), of, but for rounding."""
        x = y.astype(np.float64)
        if self.divisor is not None:
            x *= self.divisor
        if self.offset is not None:
            x += self.offset
        return x


def _by_channel(name: str, numbers: Sequence[float], shape: tuple[int, ...]) -> NDArray[np.float64]:
    if len(numbers) not in (1, shape[0]):
        raise DataError(
            f"normalize.{name} has {len(numbers)} numbers, but the data has {shape[0]} channels; "
            f"expected {' or '.join(map(str, sorted({1, shape[0]})))}"
        )
    return np.array(numbers).reshape(-1, *[1] * (len(shape) - 1))


def measure(store: NDArray[Any] | Store, rows: NDArray[np.int64]) -> Normalization:
    """The mean and standard deviation of each channel (axis 1) over these rows of `store`.

    A channel that never changes gets the deviation 1.
    """
    unit, spread = unit_of(store.dtype), Spread.of_none(store.shape[1])
    size = max(1, _CHUNK // math.prod(store.shape[1:]))  # samples at a time
    pieces = [rows[start : start + size] for start in range(0, len(rows), size)]
    for piece in looking_ahead(pieces, partial(prefetch, store)):
        spread.add(by_channel(store[piece].astype(np.float64) / unit))
    std = spread.std
    if not np.isfinite(std).all():
        raise DataError("normalize: auto needs finite numbers, but the training split holds NaN or infinity")
    std[std == 0] = 1
    return Normalization(mean=tuple(spread.mean.tolist()), std=tuple(std.tolist()))
