"""Functions that NumPy lacks, for real and complex arrays."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_ERF = {np.dtype(np.float32): (4.0, 7), np.dtype(np.float64): (6.0, 17)}
"""Precision -> (where erf is 1 as far as this precision can tell, degree of the polynomial up to there)."""
_POLE = 0.35
"""q(z) is smooth in 1 / (1 + _POLE * z); with this number the fewest powers are enough."""


def erf(x: Array, empty: Callable[..., Array] = np.empty) -> Array:
    """The error function 2/sqrt(pi) * integral of exp(-t^2) from 0 to x, exact to a few units of the dtype's
    precision (absolute, not relative to small values).

    With z = |x|, erf(z) = 1 - exp(-z^2) * q(t), t = (1 - a z) / (1 + b z), where q is a polynomial that meets
    exp(z^2) * erfc(z) at Chebyshev's nodes; the form is that of Abramowitz and Stegun 1964, 7.1.26. A complex x
    is meant to lie close to the real axis: its sign and size are those of the real part.
    """
    limit, degree = _ERF[x.real.dtype]
    sign = np.copysign(1, x.real, out=empty(x.shape, x.real.dtype))
    z = np.multiply(x, sign, out=empty(x.shape, x.dtype))
    np.minimum(z.real, limit, out=z.real)
    t, y = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    np.multiply(z, _POLE, out=y)
    y += 1
    np.multiply(z, -_zero(limit), out=t)
    t += 1
    t /= y  # [-1, 1]
    coefficients = _erf_coefficients(limit, degree)
    y[...] = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        y *= t
        y += coefficient
    np.multiply(z, z, out=t)
    np.negative(t, out=t)
    y *= np.exp(t, out=t)
    np.subtract(1, y, out=y)
    y *= sign
    return y


def _zero(limit: float) -> float:
    """a, such that t = (1 - a z) / (1 + _POLE z) goes from 1 at z = 0 to -1 at z = limit."""
    return _POLE + 2 / limit


@functools.cache
def _erf_coefficients(limit: float, degree: int) -> tuple[float, ...]:
    """Of q as a polynomial in t, lowest power first."""
    count = degree + 1
    angles = [(j + 0.5) * math.pi / count for j in range(count)]
    values = [_scaled_erfc((1 - t) / (_zero(limit) + _POLE * t)) for t in map(math.cos, angles)]
    series = []
    for k in range(count):
        terms = (v * math.cos(k * angle) for v, angle in zip(values, angles, strict=True))
        series.append((1 if k == 0 else 2) / count * math.fsum(terms))
    return tuple(np.polynomial.chebyshev.cheb2poly(series).tolist())


def _scaled_erfc(z: float) -> float:
    """exp(z^2) * erfc(z). z^2 in two parts, the first of them exact: exp would enlarge its rounding error."""
    head = round(z * 1024) / 1024
    rest = z - head
    return math.exp(head * head) * math.exp(rest * (z + head)) * math.erfc(z)
