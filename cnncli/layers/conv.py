"""Two-dimensional convolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from cnncli.errors import ShapeError
from cnncli.kernels.convolution import convolve, input_gradient, weight_gradient
from cnncli.kernels.sums import channel_sums
from cnncli.layers.base import Array, Cache, Params, Part, Shape
from cnncli.layers.parameters import Bias, Init, Literals, check_literals, draw
from cnncli.layers.run import Run
from cnncli.layers.windows import LARGEST, Size, SizePair, Windowed


class Conv2d(Windowed):
    """y[o] = bias[o] + sum over c, i, j of weight[o, c, i, j] * x[c, y*stride + i*dilation - padding, ...].

    This is cross-correlation, which the field calls convolution. weight is (out, in / groups, kh, kw).
    """

    type: ClassVar[str] = "conv2d"
    linear: ClassVar[bool] = True

    out_channels: int = Field(ge=1, le=LARGEST, strict=True, description="number of filters")
    stride: SizePair = Field((1, 1), description="step of the window: a number or [height, width]")
    dilation: SizePair = Field((1, 1), description="spacing between the kernel's taps: a number or [height, width]")
    groups: Size = Field(1, description="groups of channels that do not mix; = channels: depthwise")
    bias: Bias = Field(True, description="true, false, or the numbers themselves")
    weight: Literals | None = Field(None, description="the numbers themselves, (out, in / groups, height, width)")
    init_: Init = Field(default_factory=Init, alias="init", description="how the parameters start")

    @property
    def strides(self) -> tuple[int, int]:
        return self.stride

    @property
    def dilations(self) -> tuple[int, int]:
        return self.dilation

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        geometry = self.geometry(shape)
        for what, count in (("input channels", shape[0]), ("out_channels", self.out_channels)):
            if count % self.groups:
                rest = f"{count} / {self.groups} leaves {count % self.groups}"
                raise ShapeError(f"groups must divide the {what}: {rest}", option="groups")
        check_literals(self, self._shapes(shape))
        return (self.out_channels, *geometry.out)

    def _shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.out_channels, shape[0] // self.groups, *self.kernel_size), "bias": (self.out_channels,)}

    def init(self, inputs: tuple[Shape, ...], rng: np.random.Generator) -> Params:
        area = self.kernel_size[0] * self.kernel_size[1]
        fan_in = inputs[0][0] // self.groups * area
        fan_out = self.out_channels // self.groups * area
        return draw(self, self._shapes(inputs[0]), fan_in=fan_in, fan_out=fan_out, rng=rng)

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        geometry = self.geometry(x.shape[:-1])
        return convolve(x, params["weight"], geometry, self.groups, run.empty, params.get("bias")), x

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        x = cache
        geometry = self.geometry(x.shape[:-1])
        weight = params["weight"]
        gradients = {"weight": weight_gradient(x, dy, weight, geometry, self.groups, run.empty)}
        if "bias" in params:
            gradients["bias"] = channel_sums(dy)
        dx = None
        if run.needs[0]:
            dx = input_gradient(dy, weight, geometry, x.shape[0], self.groups, run.empty)
        return (dx,), gradients

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        ((filters, rows, columns),) = super().sees(part, inputs)
        first, last = (filter_ // (self.out_channels // self.groups) for filter_ in (filters[0], filters[-1]))
        width = inputs[0][0] // self.groups
        return ((range(first * width, (last + 1) * width), rows, columns),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        area = self.kernel_size[0] * self.kernel_size[1]
        return int(np.prod(output)) * (inputs[0][0] // self.groups) * area
