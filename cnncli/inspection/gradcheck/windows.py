"""Layers whose windows slide over a picture, as seen from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnncli.layers.base import Layer, Shape

Pair = tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """Along (height, width): output i sees the inputs first + i * stride to first + i * stride + extent - 1."""

    first: Pair
    extent: Pair
    stride: Pair
    size: Pair
    outputs: Pair

    @classmethod
    def of(cls, layer: Layer, shape: Shape) -> Windows | None:
        """Of a layer on (C, H, W); None where a position does not see a window of positions."""
        window = layer.window()
        out = layer.infer((shape,)) if window is not None and len(shape) == 3 else ()
        if window is None or len(out) != 3:
            return None
        extent, stride = window
        ((_, rows, columns),) = layer.sees((range(1),) * 3, (shape,))
        return cls((rows[0], columns[0]), extent, stride, (shape[1], shape[2]), (out[1], out[2]))

    def padding(self, stride: Pair | None = None) -> list[Pair]:
        """How much of the windows lies outside, before and after; with another stride, how much would."""
        strides = self.stride if stride is None else stride
        axes = zip(self.first, self.extent, strides, self.size, self.outputs, strict=True)
        return [(-first, max(first + (out - 1) * step + extent - size, 0)) for first, extent, step, size, out in axes]


def changed(layer: Layer, **options: Any) -> Layer:
    """The layer with other options."""
    return layer.model_validate({**layer.model_dump(by_alias=True, exclude_unset=True), **options})
