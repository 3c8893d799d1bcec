"""What a team's processes tell each other, and where in their common memory a batch lies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.memory import Block
from cnncli.engine.walk import Arrays, Lane, Request
from cnncli.graph import Graph, Layout
from cnncli.layers.base import Shape

Array = NDArray[Any]


@dataclass(frozen=True)
class Hiring:
    """The first message to a helper; the descriptor of the model's memory follows."""

    graph: Graph
    layout: Layout
    seed: int


@dataclass(frozen=True)
class NewMemory:
    """Batches lie elsewhere from now on; the descriptor follows."""

    size: int


@dataclass(frozen=True)
class Job:
    """Some of a batch's micro-batches, to be computed. The answer is DONE; where layers couple the batch, it is
    first, at each of them, the partial sums of these micro-batches, for which the totals are sent."""

    request: Request
    places: Places
    lanes: tuple[Lane, ...]


DONE = "done"


@dataclass(frozen=True)
class Places:
    """The arrays of one call, one after the other in a block: what goes in, what comes out, and a gradient of all
    parameters for each micro-batch."""

    shapes: tuple[Shape, ...]  # of x, output, values, input_gradient and gradients; size 0 where there is none
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, graph: Graph, request: Request, samples: int, lanes: int, parameters: int, dtype: np.dtype) -> Places:
        """For a batch of so many samples in so many micro-batches."""
        differentiated = request.objective is not None
        return cls(
            (
                (samples, *graph.input_shape),
                (samples, *graph.shape_of(request.at)),
                (samples,) if differentiated else (0,),
                (samples, *graph.input_shape) if differentiated and request.everything else (0,),
                (lanes, parameters) if differentiated else (0, 0),
            ),
            dtype,
        )

    @property
    def nbytes(self) -> int:
        return sum(map(self._aligned, self.shapes))

    def arrays(self, block: Block) -> tuple[Arrays, Array]:
        """The arrays and the gradients, (micro-batches, parameters)."""
        x, output, values, input_gradient, gradients = self._views(block)
        return Arrays(x, output, values, input_gradient if input_gradient.size else None), gradients

    def _views(self, block: Block) -> Iterator[Array]:
        start = 0
        for shape in self.shapes:
            yield block.array(shape, self.dtype, start)
            start += self._aligned(shape)

    def _aligned(self, shape: Shape) -> int:
        return -(-math.prod(shape) * self.dtype.itemsize // 64) * 64
