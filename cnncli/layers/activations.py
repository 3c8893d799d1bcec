"""Activation functions: `curve` gives f(x) and f'(x) in the array's precision; complex x branch by the real part."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from cnncli.kernels.special import erf
from cnncli.layers.base import Array, Shape, Steps
from cnncli.layers.elementwise import Elementwise
from cnncli.layers.run import Run


class Relu(Elementwise):
    """y = max(x, 0). The slope at 0 is 0."""

    type: ClassVar[str] = "relu"
    rectifies: ClassVar[bool] = True
    keeps_maximum: ClassVar[bool] = True

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        positive = _positive(x, run) if run.keep else None
        _above(x, y)
        return positive, positive

    def worked_out(self, x: Any) -> Steps:
        return (("max(x, 0)", np.maximum(x, 0)),)


class LeakyRelu(Elementwise):
    """y = x where x > 0, else negative_slope * x."""

    type: ClassVar[str] = "leaky_relu"

    negative_slope: float = Field(0.01, allow_inf_nan=False, description="slope left of 0")

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        positive = _positive(x, run)
        slope = _either(positive, 1, self.negative_slope, x, run)
        np.multiply(x, slope, out=y)
        return slope, positive

    def worked_out(self, x: Any) -> Steps:
        if x > 0:
            return (("x, since x > 0", x),)
        return ((f"{self.negative_slope} * x", self.negative_slope * x),)


class Elu(Elementwise):
    """y = x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016)."""

    type: ClassVar[str] = "elu"

    alpha: float = Field(1.0, allow_inf_nan=False, description="minus the value far left of 0")

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        positive = _positive(x, run) if run.keep else None
        bend = run.empty(x.shape, x.dtype)
        _below(x, bend)
        np.expm1(bend, out=bend)
        bend *= self.alpha  # alpha * (exp(x) - 1) left of 0, else 0
        _above(x, y)
        y += bend
        if positive is None:
            return None, None
        bend += self.alpha
        bend *= np.logical_not(positive, out=run.empty(x.shape, np.bool_))
        bend += positive
        return bend, positive

    def worked_out(self, x: Any) -> Steps:
        if x > 0:
            return (("x, since x > 0", x),)
        return ("exp(x)", np.exp(x)), (f"{self.alpha} * (exp(x) - 1)", self.alpha * np.expm1(x))


class Gelu(Elementwise):
    """y = x * Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016).

    Phi(x) = (1 + erf(x / sqrt(2))) / 2, or with approximate: tanh its approximation
    (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2.
    """

    type: ClassVar[str] = "gelu"

    approximate: Literal["none", "tanh"] = Field("none", description="'none', or 'tanh' for the older approximation")

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        share, density = (self._by_erf if self.approximate == "none" else self._by_tanh)(x, run)
        if density is not None:
            density *= x
            density += share  # d(x * Phi)/dx = Phi + x * Phi'
        np.multiply(x, share, out=y)
        return density, None

    def _by_erf(self, x: Array, run: Run) -> tuple[Array, Array | None]:
        """Phi and its derivative exp(-x^2 / 2) / sqrt(2 pi)."""
        scaled = np.multiply(x, math.sqrt(0.5), out=run.empty(x.shape, x.dtype))
        share = erf(scaled, run.empty)
        share += 1
        share *= 0.5
        if not run.keep:
            return share, None
        np.multiply(scaled, scaled, out=scaled)
        np.negative(scaled, out=scaled)
        density = np.exp(scaled, out=scaled)
        density *= 1 / math.sqrt(2 * math.pi)
        return share, density

    def _by_tanh(self, x: Array, run: Run) -> tuple[Array, Array | None]:
        """The approximation t of Phi and its derivative 2 t (1 - t) * u', u = sqrt(2/pi) * (x + 0.044715 x^3)."""
        root = math.sqrt(2 / math.pi)
        square = np.multiply(x, x, out=run.empty(x.shape, x.dtype))
        share = np.multiply(square, 0.044715 * root, out=run.empty(x.shape, x.dtype))
        share += root
        share *= x
        np.tanh(share, out=share)
        share += 1
        share *= 0.5
        if not run.keep:
            return share, None
        square *= 3 * 0.044715 * root
        square += root
        square *= share
        square *= 2
        rest = np.subtract(1, share, out=run.empty(x.shape, x.dtype))
        square *= rest
        return share, square

    def worked_out(self, x: Any) -> Steps:
        if self.approximate == "none":
            share = (1 + math.erf(x / math.sqrt(2))) / 2
            return ("Phi = (1 + erf(x / sqrt(2))) / 2", share), ("x * Phi", x * share)
        u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        share = (1 + np.tanh(u)) / 2
        steps = ("u = sqrt(2 / pi) * (x + 0.044715 * x^3)", u), ("t = (1 + tanh(u)) / 2", share)
        return *steps, ("x * t", x * share)


class Silu(Elementwise):
    """y = x * sigmoid(x), also called swish (Elfwing et al. 2018)."""

    type: ClassVar[str] = "silu"

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        share = _sigmoid(x, run.empty(x.shape, x.dtype))
        if not run.keep:
            np.multiply(x, share, out=y)
            return None, None
        slope = np.subtract(1, share, out=run.empty(x.shape, x.dtype))
        slope *= x
        slope += 1
        slope *= share  # s * (1 + x * (1 - s))
        np.multiply(x, share, out=y)
        return slope, None

    def worked_out(self, x: Any) -> Steps:
        steps = _sigmoid_by_hand(x)
        return *steps, ("x * s", x * steps[-1][1])


class Sigmoid(Elementwise):
    """y = 1 / (1 + exp(-x))."""

    type: ClassVar[str] = "sigmoid"
    link: ClassVar[str | None] = "sigmoid"

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        _sigmoid(x, y)
        if not run.keep:
            return None, None
        slope = np.subtract(1, y, out=run.empty(x.shape, x.dtype))
        slope *= y
        return slope, None

    def worked_out(self, x: Any) -> Steps:
        return _sigmoid_by_hand(x)


class Tanh(Elementwise):
    """y = tanh(x)."""

    type: ClassVar[str] = "tanh"

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        np.tanh(x, out=y)
        if not run.keep:
            return None, None
        slope = np.multiply(y, y, out=run.empty(x.shape, x.dtype))
        np.subtract(1, slope, out=slope)
        return slope, None

    def worked_out(self, x: Any) -> Steps:
        return (("tanh(x)", np.tanh(x)),)


class Softplus(Elementwise):
    """y = log(1 + exp(beta * x)) / beta, and y = x where beta * x > threshold (as in PyTorch)."""

    type: ClassVar[str] = "softplus"

    beta: float = Field(1.0, gt=0, allow_inf_nan=False, description="sharpness of the bend")
    threshold: float = Field(20.0, allow_inf_nan=False, description="value of beta * x above which y = x")

    def curve(self, x: Array, y: Array, run: Run) -> tuple[Array | None, Array | None]:
        scaled = np.multiply(x, self.beta, out=run.empty(x.shape, x.dtype))
        largest = _largest_exponent(x)
        linear = np.greater(scaled.real, min(self.threshold, largest), out=run.empty(x.shape, np.bool_))
        bent = np.logical_not(linear, out=run.empty(x.shape, np.bool_))
        np.minimum(scaled.real, _like(scaled.real, largest), out=scaled.real)
        power = np.exp(scaled, out=scaled)
        slope = None
        if run.keep:
            slope = np.add(power, 1, out=run.empty(x.shape, x.dtype))
            np.divide(power, slope, out=slope)  # the sigmoid of beta * x
            slope *= bent
            slope += linear
        bend = np.log1p(power, out=power)
        bend *= 1 / self.beta
        bend *= bent
        np.maximum(x, _like(x, float(np.finfo(x.dtype).min)), out=y)  # -inf * 0 would be NaN
        y *= linear
        y += bend
        return slope, linear

    def worked_out(self, x: Any) -> Steps:
        if self.beta * x > self.threshold:
            return ((f"x, since {self.beta} * x > {self.threshold}", x),)
        power = np.exp(self.beta * x)
        return (f"e = exp({self.beta} * x)", power), (f"log(1 + e) / {self.beta}", np.log1p(power) / self.beta)


def _above(x: Array, y: Array) -> None:
    """max(x, 0) into y, which may be x. Not x * (x > 0), which is NaN at -inf."""
    if x.dtype.kind == "c":
        y[...] = np.where(x.real > 0, x, 0)
    else:
        np.maximum(x, _like(x, 0), out=y)


def _below(x: Array, y: Array) -> None:
    """min(x, 0) into y, which may be x."""
    if x.dtype.kind == "c":
        y[...] = np.where(x.real > 0, 0, x)
    else:
        np.minimum(x, _like(x, 0), out=y)


def _like(x: Array, number: float) -> Any:
    """A number to compare x with: twice as fast as an array, unless so small that NumPy copies it for each row."""
    return _filled(x.shape[1:], number, x.dtype) if x.ndim > 2 else x.dtype.type(number)


@lru_cache(maxsize=32)
def _filled(shape: Shape, number: float, dtype: np.dtype[Any]) -> Array:
    """Made once: at one sample, to make it takes as long as to compare with it."""
    array = np.full(shape, number, dtype)
    array.flags.writeable = False
    return array


def _positive(x: Array, run: Run) -> Array:
    positive: Array = np.greater(x.real, 0, out=run.empty(x.shape, np.bool_))
    return positive


def _either(mask: Array, yes: float, no: float, like: Array, run: Run) -> Array:
    """`yes` where the mask is true, else `no`: exactly these numbers, real, in the precision of `like`."""
    numbers = run.empty(like.shape, like.real.dtype)
    np.multiply(mask, like.real.dtype.type(yes), out=numbers)
    rest = np.logical_not(mask, out=run.empty(like.shape, np.bool_))
    others = np.multiply(rest, like.real.dtype.type(no), out=run.empty(like.shape, like.real.dtype))
    numbers += others
    return numbers


def _largest_exponent(x: Array) -> float:
    """About the largest number whose exponential is finite in this precision."""
    return math.floor(math.log(np.finfo(x.dtype).max)) - 1


def _sigmoid(x: Array, y: Array) -> Array:
    """1 / (1 + exp(-x)) into y, which may be x."""
    np.negative(x, out=y)
    if x.dtype.kind == "c":  # an infinite exponential has no direction
        np.minimum(y.real, _largest_exponent(x), out=y.real)
    with np.errstate(over="ignore"):  # 1 / inf is right
        np.exp(y, out=y)
    y += 1
    return np.divide(1, y, out=y)


def _sigmoid_by_hand(x: Any) -> Steps:
    power = np.exp(-x)
    return ("exp(-x)", power), ("s = 1 / (1 + exp(-x))", 1 / (1 + power))
