"""Layers that work element by element: dx = f'(x) * dy. What stands in the place of f'(x) shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.gradcheck.diagnosis.factors import FIT
from cnncli.inspection.gradcheck.diagnosis.fit import batch_last, equal
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import LayerFunction
from cnncli.inspection.gradcheck.oracles import slopes

Array = NDArray[Any]


def wrong_curve(examination: Examination[LayerFunction]) -> str | None:
    """Another slope than that of the function at its input. Arrays are batch last."""
    function = examination.function
    if examination.name != INPUT:
        return None
    slope = curve(function, function.xs[0])
    if slope is None:
        return None
    x, dy = batch_last(function.xs[0]), examination.cotangent
    for text, other in _others(function, x, dy, slope):
        if other is not None and equal(examination, other * dy):
            return text
    return _wrong_on_one_side(examination, x, slope)


def curve(function: LayerFunction, x: Array) -> Array | None:
    """f'(x) of every element, for x (N, ...), batch last; None where outputs depend on more than one input."""
    if batch_last(x).shape != function.base.terms.shape:
        return None
    at_x = function.at(x)
    every = slopes(at_x, INPUT, np.ones(x.shape))
    some = np.random.default_rng(0).uniform(0.5, 1, x.shape)
    return every if np.allclose(slopes(at_x, INPUT, some), every * batch_last(some), rtol=1e-6, atol=1e-9) else None


def _others(function: LayerFunction, x: Array, dy: Array, slope: Array) -> Iterator[tuple[str, Array | None]]:
    """What may stand in the place of the slope."""
    y = function.base.terms
    yield "dy is handed on as it is: the slope of the function is missing", np.ones_like(slope)
    yield "the slope is taken at the output instead of the input", _curve_at(function, y)
    yield "the slope is taken at the upstream gradient instead of the input", _curve_at(function, dy)
    if function.layer.rectifies:
        yield "negative gradients are stopped too, as in guided backpropagation", (x > 0) & (dy > 0)
        yield "open where it should be shut, and shut where it should be open", x <= 0
    yield "x * (1 - x) with the input, where it should be the output", x * (1 - x)
    yield "1 - x^2 with the input, where it should be the output", 1 - x * x
    yield "the function's value stands where its slope should be", y
    yield "the slope is multiplied twice", slope * slope


def _curve_at(function: LayerFunction, x: Array) -> Array | None:
    return curve(function, np.moveaxis(x, -1, 0))


def _wrong_on_one_side(examination: Examination[LayerFunction], x: Array, slope: Array) -> str | None:
    """Another slope on one branch of the function, right on all others."""
    gradient, dy = batch_last(examination.gradient), examination.cotangent
    size = np.abs(slope * dy).max(initial=0)
    for branches in examination.function.base.branches.values():
        wrong = np.abs(gradient - slope * dy) > FIT * size
        sides = [branches == branch for branch in np.unique(branches[wrong])]
        if len(sides) != 1:
            return None
        side = sides[0] & (dy != 0)
        claimed = gradient[side] / dy[side]
        where = _side(x, sides[0])
        if np.ptp(claimed) <= FIT * max(np.abs(claimed).max(), 1):
            return f"as if the slope {where} were {float(claimed.mean()):.6g}"
        return f"wrong only {where}"
    return None


def _side(x: Array, mask: Array) -> str:
    """Where x lies within the mask, in words, as far as 0 is the border."""
    if (x[mask] > 0).all():
        return "for x > 0"
    return "for x <= 0" if (x[mask] <= 0).all() else f"for x from {x[mask].min():.4g} to {x[mask].max():.4g}"
