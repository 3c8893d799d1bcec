"""Layers that join several values into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from cnncli.errors import ShapeError
from cnncli.layers.base import Array, Cache, Layer, Params, Part, Shape
from cnncli.layers.run import Run


class Add(Layer):
    """The sum of its inputs, element by element: y = x1 + x2 + ..."""

    type: ClassVar[str] = "add"
    linear: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (2, None)
    aliases_dy: ClassVar[bool] = True  # every input's gradient is dy itself

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for number, shape in enumerate(inputs[1:], start=2):
            if shape != inputs[0]:
                raise ShapeError(
                    f"add takes inputs of one shape, but input 1 is {inputs[0]} and input {number} is {shape}"
                    f"{_way_to_equal(inputs[0], shape)}"
                )
        return inputs[0]

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        owned = run.owned.index(True) if True in run.owned else None
        y = run.empty(xs[0].shape, xs[0].dtype) if owned is None else xs[owned]
        first, *others = xs if owned is None else (y, *xs[:owned], *xs[owned + 1 :])
        np.add(first, others[0], out=y)
        for x in others[1:]:
            y += x
        return y, len(xs)

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        return tuple(dy if run.needs[i] else None for i in range(cache)), {}


def _way_to_equal(first: Shape, other: Shape) -> str:
    """What makes a residual branch fit, where that is plain."""
    if len(first) == len(other) == 3 and first[1:] == other[1:]:
        return f"; a conv2d with kernel_size 1 and out_channels {first[0]} makes {other[0]} channels {first[0]}"
    if len(first) == len(other) == 3:
        return "; give both branches the same strides, and padding: same where the window is larger than 1"
    return ""


class Concat(Layer):
    """Its inputs one after the other along the channels (the first axis)."""

    type: ClassVar[str] = "concat"
    linear: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (2, None)
    aliases_dy: ClassVar[bool] = True  # the inputs' gradients are slices of dy

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        rest = inputs[0][1:]
        for number, shape in enumerate(inputs[1:], start=2):
            if shape[1:] != rest or len(shape) != len(inputs[0]):
                raise ShapeError(
                    f"concat joins along the first axis, so the others must be equal, but input 1 is {inputs[0]} "
                    f"and input {number} is {shape}"
                )
        return (sum(shape[0] for shape in inputs), *rest)

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        ends = np.cumsum([x.shape[0] for x in xs]).tolist()
        y = run.empty((ends[-1], *xs[0].shape[1:]), xs[0].dtype)
        np.concatenate(xs, axis=0, out=y)
        return y, ends

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        slices = zip([0, *cache], cache, run.needs, strict=False)
        return tuple(dy[start:end] if needed else None for start, end, needed in slices), {}

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        parts: list[Part] = []
        start = 0
        for shape in inputs:
            first, stop = max(part[0][0] - start, 0), min(part[0][-1] + 1 - start, shape[0])
            parts.append((range(first, stop), *part[1:]))  # empty for an input of which this part has nothing
            start += shape[0]
        return tuple(parts)
