"""Layers that couple the samples of a batch: batch norm.

dx = scale * (dy - mean(dy) - x^ * mean(dy * x^)) in each channel (Ioffe and Szegedy 2015). A term may be missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.gradcheck.diagnosis.factors import FIT
from cnncli.inspection.gradcheck.diagnosis.fit import batch_last, equal
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import LayerFunction

Array = NDArray[Any]


def wrong_normalization(examination: Examination[LayerFunction]) -> str | None:
    """Missing terms in the input's gradient; in the weight's, the wrong factor."""
    function = examination.function
    if not function.layer.couples_batch:
        return None
    x, dy = batch_last(function.xs[0]), examination.cotangent
    if examination.name == INPUT:
        return _missing_term(examination, x.reshape(len(x), -1), dy.reshape(len(dy), -1))
    if examination.name == "weight":
        axes = tuple(range(1, x.ndim))
        for text, factor in (("the input", x), ("the output", function.base.terms)):
            wrong = (dy * factor).sum(axis=axes)
            if np.allclose(examination.gradient, wrong, rtol=0, atol=FIT * np.abs(wrong).max()):
                return f"dy is multiplied with {text}, not with the normalised input"
    return None


def _missing_term(examination: Examination[LayerFunction], x: Array, dy: Array) -> str | None:
    """x and dy are (C, numbers). The scale is what makes the remaining terms fit best."""
    gradient = batch_last(examination.gradient)
    normal = x - x.mean(axis=1, keepdims=True)
    normal /= normal.std(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    shift = dy.mean(axis=1, keepdims=True)
    stretch = normal * (dy * normal).mean(axis=1, keepdims=True)
    for text, terms in (
        ("the mean and the variance are taken for constants: both of their terms are missing", dy),
        ("the term of the mean is missing: mean(dy) is not subtracted", dy - stretch),
        ("the term of the variance is missing: x^ * mean(dy * x^) is not subtracted", dy - shift),
        ("the terms of the mean and the variance are added, not subtracted", dy + shift + stretch),
    ):
        size = (terms * terms).sum(axis=1)
        fit = (gradient.reshape(terms.shape) * terms).sum(axis=1) / np.where(size, size, 1)
        if equal(examination, (fit[:, None] * terms).reshape(gradient.shape)):
            return text
    return None
