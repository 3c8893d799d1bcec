"""Batch normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cnncli.errors import DataError, ShapeError
from cnncli.kernels.blocks import channel_blocks, scratch_for
from cnncli.kernels.sums import centred_sums, sums_and_dots
from cnncli.layers.base import Array, Cache, Layer, Params, Shape, Steps
from cnncli.layers.parameters import Literals, ScaleInit, check_literals, draw
from cnncli.layers.run import Run


class BatchNorm(Layer):
    """y = weight * (x - mean) / sqrt(var + eps) + bias for every channel (Ioffe and Szegedy 2015).

    In training mean and (biased) variance are those of the whole batch, over samples and positions; otherwise
    the running ones, which every training batch moves by `momentum` towards its mean and unbiased variance.

    Backward in training, with x^ = (x - mean) / sqrt(var + eps) and means over the batch:
    dx = weight / sqrt(var + eps) * (dy - mean(dy) - x^ * mean(dy * x^)).
    """

    type: ClassVar[str] = "batch_norm"
    linear: ClassVar[bool] = True
    couples_batch: ClassVar[bool] = True

    eps: float = Field(1e-5, gt=0, allow_inf_nan=False, description="added to the variance, so that it is never 0")
    momentum: float = Field(0.1, ge=0, le=1, description="share of the new batch in the running statistics")
    affine: bool = Field(True, description="whether there are a weight and a bias for every channel")
    weight: Literals | None = Field(None, description="the numbers themselves, one a channel")
    bias: Literals | None = Field(None, description="the numbers themselves, one a channel")
    init_: ScaleInit = Field(default_factory=ScaleInit, alias="init", description="how the parameters start")

    @model_validator(mode="after")
    def _literals_need_affine(self) -> Self:
        if not self.affine and not (self.weight is self.bias is None):
            raise ValueError("with affine: false there is no weight and no bias to give numbers for")
        return self

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        if len(shape) > 3:
            raise ShapeError(f"{self.type} takes (C, H, W), (C, L) or (F,), but gets {shape}")
        check_literals(self, self._shapes(shape))
        return shape

    def _shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape[:1], "bias": shape[:1]} if self.affine else {}

    def init(self, inputs: tuple[Shape, ...], rng: np.random.Generator) -> Params:
        return draw(self, self._shapes(inputs[0]), fan_in=1, fan_out=1, rng=rng)

    def init_buffers(self, inputs: tuple[Shape, ...]) -> Params:
        channels = inputs[0][0]
        return {
            "running_mean": np.zeros(channels),
            "running_var": np.ones(channels),
            "num_batches_tracked": np.zeros((), np.int64),
        }

    def forward_sums(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> Array:
        """For every channel: how many numbers, their sum, and the sum of their squares; (3, C) in double precision.

        The squares are summed around a number close to the micro-batch's own mean and shifted to 0 in double
        precision, which keeps the variance exact to single precision even where it is small beside the mean.

        Raises DataError where the whole batch has one number a channel: it has no variance (PyTorch refuses it too).
        """
        (x,) = xs
        if run.batch_size * math.prod(x.shape[1:-1]) == 1:
            raise DataError(
                f"{self.type} in training needs more than one number a channel, but a batch of 1 sample of shape "
                f"{x.shape[:-1]} has no more; take more samples, or a larger batch size"
            )
        count = x.size // x.shape[0]
        centre, rest, squares = centred_sums(x, run.empty)
        totals = np.empty((3, len(x)), rest.dtype)
        totals[0] = count
        totals[1] = rest + count * centre
        totals[2] = squares + (rest + totals[1]) * centre
        return totals

    def forward(self, params: Mapping[str, Array], xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        (x,) = xs
        if not run.training:
            return self._evaluate(params, x, run)
        count, mean, variance = _moments(_totals(run))
        inverse = 1 / np.sqrt(variance + self.eps)  # (C,)
        centred = x if run.owned[0] else run.empty(x.shape, x.dtype)
        y = run.empty(x.shape, x.dtype) if run.keep else centred
        shift, scale = _column(mean, x), _column(self._scale(params, inverse), x)
        bias = _column(params["bias"], x) if self.affine else None
        for block in channel_blocks(x):
            part = np.subtract(x[block], shift[block], out=centred[block])
            part = np.multiply(part, scale[block], out=y[block])
            if bias is not None:
                part += bias[block]
        return y, (centred, inverse, count) if run.keep else None

    def _evaluate(self, params: Mapping[str, Array], x: Array, run: Run) -> tuple[Array, Cache]:
        """With the running statistics y = x * scale + shift, as PyTorch has it: a pass less."""
        mean = params["running_mean"]
        inverse = 1 / np.sqrt(params["running_var"] + self.eps)
        factor = self._scale(params, inverse)
        rest = (params["bias"] if self.affine else 0) - mean * factor
        y = x if run.owned[0] and not run.keep else run.empty(x.shape, x.dtype)
        scale, shift = _column(factor, x), _column(rest, x)
        for block in channel_blocks(x):
            part = np.multiply(x[block], scale[block], out=y[block])
            part += shift[block]
        if not run.keep:
            return y, None
        centred = np.subtract(x, _column(mean, x), out=x if run.owned[0] else run.empty(x.shape, x.dtype))
        return y, (centred, inverse, None)

    def _scale(self, params: Mapping[str, Array], inverse: Array) -> Array:
        return params["weight"] * inverse if self.affine else inverse

    def backward_sums(self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run) -> Array:
        """For every channel the sums of dy and of dy * x^; (2, C) in double precision."""
        centred, inverse, _ = cache
        sums, dots = sums_and_dots(dy, centred)
        return np.array((sums, dots * inverse))

    def backward(
        self, params: Mapping[str, Array], cache: Cache, dy: Array, run: Run
    ) -> tuple[tuple[Array | None, ...], Params]:
        centred, inverse, count = cache
        scale = _column(self._scale(params, inverse), dy)
        if run.training:
            totals = _totals(run)
            dx = self._through_batch(totals / count, inverse, centred, dy, scale, run) if run.needs[0] else None
            # What falls to this micro-batch of the whole batch's gradient, so that the micro-batches' sum is right.
            sums = totals * (dy.size // dy.shape[0] / count)
        else:
            sums = self.backward_sums(params, cache, dy, run)
            target = dy if run.owns_dy else run.empty(dy.shape, dy.dtype)
            dx = np.multiply(dy, scale, out=target) if run.needs[0] else None
        if not self.affine:
            return (dx,), {}
        dbias, dweight = sums.astype(dy.dtype)
        return (dx,), {"weight": dweight, "bias": dbias}

    def _through_batch(self, means: Array, inverse: Array, centred: Array, dy: Array, scale: Array, run: Run) -> Array:
        """dx in training; `means` are those of dy and of dy * x^ over the whole batch."""
        mean_dy, mean_dy_x = means
        shift, share = _column(mean_dy, dy), _column(mean_dy_x * inverse, dy)
        dx = dy if run.owns_dy else run.empty(dy.shape, dy.dtype)
        scratch = scratch_for(dy, run.empty) if run.owns_dy else None
        for block in channel_blocks(dy):
            part = dx[block]
            room = part if scratch is None else scratch[: len(part)]
            np.subtract(dy[block], np.multiply(centred[block], share[block], out=room), out=part)
            part -= shift[block]
            part *= scale[block]
        return dx

    def by_hand(self, params: Mapping[str, Array], xs: tuple[Array, ...], place: tuple[int, ...], run: Run) -> Steps:
        channel = place[0]
        x, numbers = xs[0][place], xs[0][channel]
        if run.training:
            whose, mean, variance = f"of the batch's {numbers.size} numbers", numbers.mean(), numbers.var()
        else:
            whose, mean, variance = "running", params["running_mean"][channel], params["running_var"][channel]
        normal = (x - mean) / np.sqrt(variance + self.eps)
        steps = ("x", x), (f"mean, {whose}", mean), (f"variance, {whose}", variance)
        last = (f"x^ = (x - mean) / sqrt(variance + {self.eps})", normal)
        if not self.affine:
            return *steps, last
        weight, bias = params["weight"][channel], params["bias"][channel]
        return *steps, last, ("weight", weight), ("bias", bias), ("weight * x^ + bias", weight * normal + bias)

    def update_buffers(self, buffers: Mapping[str, Array], totals: Array) -> Params:
        count, mean, variance = _moments(totals)
        unbiased = variance * (count / (count - 1))
        keep = 1 - self.momentum
        return {
            "running_mean": keep * buffers["running_mean"] + self.momentum * mean,
            "running_var": keep * buffers["running_var"] + self.momentum * unbiased,
            "num_batches_tracked": np.asarray(buffers["num_batches_tracked"] + 1),
        }


def _column(per_channel: Array, like: Array) -> Array:
    """(C,) as (C, 1, ..., 1), in the dtype of `like`, to be broadcast over it."""
    return per_channel.astype(like.dtype, copy=False).reshape(-1, *(1,) * (like.ndim - 1))


def _totals(run: Run) -> Array:
    assert run.totals is not None, "a coupled layer's sums come first"
    return run.totals


def _moments(totals: Array) -> tuple[Any, Array, Array]:
    """(count, mean, biased variance) of every channel from the batch's `forward_sums`."""
    count, total, squares = totals
    mean = total / count
    variance = squares / count - mean * mean
    np.maximum(variance.real, 0, out=variance.real)
    return count, mean, variance
