"""Where the error of a gradient sits: element by element, or slice by slice where there are too many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import Function, is_input
from cnncli.inspection.gradcheck.report import ErrorMap, TensorCheck
from cnncli.inspection.gradcheck.sampling import dense
from cnncli.inspection.gradcheck.truth import true_gradient
from cnncli.inspection.gradcheck.verdicts import COMPLEX

Array = NDArray[Any]

NONE = np.empty(0)
SLICES = 1024
"""So many parts of a tensor that is too large are looked at."""


def error_map(check: TensorCheck, examination: Examination[Function], rng: np.random.Generator) -> ErrorMap:
    """Of the tensor that was examined. Terms on corners of the function have no part in it."""
    claimed = examination.gradient
    true = true_gradient(examination.function, examination.name, examination.cotangent, rng)
    errors = _by_slice(examination, rng) if true is None else _errors(claimed, true, examination.negligible)
    differs = errors > COMPLEX.bad
    return ErrorMap(
        *(check.node, check.tensor, check.level),
        largest=float(errors.max(initial=0)),
        differing=int(differs.sum()),
        count=errors.size,
        analytic=claimed,
        true=NONE if true is None else true,
        by_slice=errors if true is None else NONE,
        differs=differs,
    )


def _errors(claimed: Array, true: Array, negligible: float) -> Array:
    """|claimed - true| as shares of the largest true number, or where all are 0 of the largest that is claimed; 0 where
    both are nothing but rounding."""
    size = float(np.abs(true).max(initial=0)) or float(np.abs(claimed).max(initial=0)) or 1.0
    seen = np.maximum(np.abs(claimed), np.abs(true)) > negligible
    errors: Array = np.abs(claimed - true) * seen / size
    return errors


def _by_slice(examination: Examination[Function], rng: np.random.Generator) -> Array:
    shape = examination.gradient.shape
    axis = 1 if is_input(examination.name) else 0
    parts = np.array_split(np.arange(shape[axis]), min(shape[axis], SLICES))
    claimed, true = np.empty(len(parts)), np.empty(len(parts))
    for place, part in enumerate(parts):
        mask = np.zeros(shape, np.bool_)
        np.moveaxis(mask, axis, 0)[part] = True
        direction = dense(mask, rng).direction
        claimed[place], true[place] = (examination.gradient * direction).sum(), examination.slope(direction)
    return _errors(claimed, true, examination.negligible)
