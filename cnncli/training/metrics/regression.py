"""Numbers: how far the outputs are from them. As scikit-learn's, the outputs being averaged alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.training.metrics.metric import Metric

Array = NDArray[Any]


def _errors(output: Array, targets: Array) -> Array:
    """(n, k) float64."""
    errors: Array = output.astype(np.float64) - targets.reshape(output.shape)
    return errors.reshape(len(errors), -1)


def _distances(output: Array, targets: Array) -> Array:
    """(k,): |error|, summed."""
    return np.asarray(np.abs(_errors(output, targets)).sum(axis=0))


def _squares(output: Array, targets: Array) -> Array:
    """(k,): error^2, summed."""
    return np.asarray(np.square(_errors(output, targets)).sum(axis=0))


def _r2_sums(output: Array, targets: Array) -> Array:
    """For each of the k outputs: the sums of squared errors, of the targets and of their squares; (3 * k,)."""
    wanted = targets.reshape(len(targets), -1).astype(np.float64)
    return np.concatenate([_squares(output, targets), wanted.sum(axis=0), np.square(wanted).sum(axis=0)])


def maes(sums: Array, samples: int) -> Array:
    """(k,): mean |error|."""
    return sums / samples


def rmses(sums: Array, samples: int) -> Array:
    """(k,): the root of the mean of error^2."""
    return np.sqrt(sums / samples)


def r2s(sums: Array, samples: int) -> Array:
    """(k,): 1 - (sum of squared errors) / (sum of squared distances of the targets from their mean).

    For constant targets: 1 if there is no error, else 0 (as scikit-learn's r2_score).
    """
    residual, total, squares = sums.reshape(3, -1)
    spread = np.maximum(squares - total**2 / samples, 0)
    spread[spread <= 1e-12 * squares] = 0  # what rounding leaves of equal targets
    return 1 - np.divide(residual, spread, out=np.where(residual == 0, 0.0, 1.0), where=spread > 0)


MAE = Metric("mae", _distances, lambda sums, samples: float(maes(sums, samples).mean()), is_error=True)
RMSE = Metric("rmse", _squares, lambda sums, samples: float(rmses(sums, samples).mean()), is_error=True)
R2 = Metric("r2", _r2_sums, lambda sums, samples: float(r2s(sums, samples).mean()))
METRICS = (MAE, RMSE, R2)
