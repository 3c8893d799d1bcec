"""Fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from cnncli.errors import ShapeError
from cnncli.kernels.dense import deep_product, outer_product, tall_product
from cnncli.kernels.sums import channel_sums
from cnncli.layers.base import Array, Cache, Layer, Params, Part, Shape
from cnncli.layers.parameters import Bias, Init, Literals, check_literals, draw
from cnncli.layers.run import Run


class Linear(Layer):
    """y = weight @ x + bias, for x of shape (in,); weight is (out, in)."""

    type: ClassVar[str] = "linear"
    linear: ClassVar[bool] = True

    out_features: int = Field(ge=1, description="number of outputs")
    bias: Bias = Field(True, description="true, false, or the numbers themselves")
    weight: Literals | None = Field(None, description="the numbers themselves, (out_features, in_features)")
    init_: Init = Field(default_factory=Init, alias="init", description="how the parameters start")

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        if len(shape) != 1:
            size = int(np.prod(shape))
            raise ShapeError(f"linear takes a flat input (F,), but gets {shape}; put a flatten before it (F = {size})")
        check_literals(self, self._shapes(*shape))
        return (self.out_features,)

    def _shapes(self, in_features: int) -> dict[str, Shape]:
        return {"weight": (self.out_features, in_features), "bias": (self.out_features,)}

    def init(self, inputs: tuple[Shape, ...], rng: np.random.Generator) -> Params:
        ((in_features,),) = inputs
        return draw(self, self._shapes(in_features), fan_in=in_features, fan_out=self.out_features, rng=rng)

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs  # (in, n)
        y = deep_product(params["weight"], x, run.empty)
        if "bias" in params:
            y += params["bias"][:, None]
        return y, x

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        x = cache
        weight = params["weight"]
        gradients = {"weight": outer_product(dy, x, run.empty)}
        if "bias" in params:
            gradients["bias"] = channel_sums(dy)
        dx = tall_product(weight, dy, run.empty) if run.needs[0] else None
        return (dx,), gradients

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return inputs[0][0] * self.out_features

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        ((in_features,),) = inputs
        return ((range(in_features),),)

    def window(self) -> None:
        return None
