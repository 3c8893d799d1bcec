"""What a team's processes tell each other, and where in their common memory a batch lies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.memory import Block
from cnncli.engine.walk import Arrays, MicroBatch, Request
from cnncli.graph import Graph, Model
from cnncli.layers.base import Params, Shape

Array = NDArray[Any]


@dataclass(frozen=True)
class Setup:
    """The first message to a helper; the descriptor of the memory of the parameters, `Model.flat`, follows."""

    model: Model
    seed: int
    frozen: frozenset[str]


@dataclass(frozen=True)
class Remap:
    """Batches lie elsewhere from now on; the descriptor follows."""

    size: int


@dataclass(frozen=True)
class Job:
    """Some of a batch's micro-batches, to be computed. The answer is READY; where layers couple the batch, it is
    first, at each of them, the partial sums of these micro-batches, for which the totals are sent."""

    request: Request
    places: Places
    micro_batches: tuple[MicroBatch, ...]
    buffers: dict[str, Params] | None  # where they may have changed; in training nobody reads them


READY = "ready"
"""A helper has come up, or has done its job."""


@dataclass(frozen=True)
class Places:
    """The arrays of one call, one after the other in a block: what goes in, what comes out, and a gradient of all
    parameters for each micro-batch."""

    shapes: tuple[Shape, ...]  # of x, output, values, input_gradient and gradients; size 0 where there is none
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, graph: Graph, request: Request, x: Array, micro_batches: int, flat: Array) -> Places:
        """For the batch x (N, *input_shape), in so many micro-batches, and the parameters `flat`."""
        differentiated = request.objective is not None
        return cls(
            (
                x.shape,
                (len(x), *graph.shape_of(request.at)),
                (len(x),) if differentiated else (0,),
                x.shape if differentiated and request.everything else (0,),
                (micro_batches, flat.size) if differentiated else (0, 0),
            ),
            flat.dtype,
        )

    @property
    def nbytes(self) -> int:
        return sum(map(self._room, self.shapes))

    def arrays(self, block: Block) -> tuple[Arrays, Array]:
        """The arrays and the gradients, (micro-batches, parameters)."""
        x, output, values, input_gradient, gradients = self._views(block)
        return Arrays(x, output, values, input_gradient if input_gradient.size else None), gradients

    def _views(self, block: Block) -> Iterator[Array]:
        start = 0
        for shape in self.shapes:
            yield block.array(shape, self.dtype, start)
            start += self._room(shape)

    def _room(self, shape: Shape) -> int:
        """Bytes, in whole cache lines."""
        return -(-math.prod(shape) * self.dtype.itemsize // 64) * 64
