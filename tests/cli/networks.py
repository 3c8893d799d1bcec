"""Networks of every shape, numbers of every size to be shown to them, and the error that came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cli.conftest import Outcome

NETWORKS = {
    "image": (
        (1, 8, 8),
        "[{type: conv2d, name: first, out_channels: 3, kernel_size: 3}, relu, "
        "{type: max_pool2d, kernel_size: 2}, flatten, {type: linear, out_features: 3}]",
    ),
    "one pixel": (
        (1, 1, 1),
        "[{type: conv2d, name: first, out_channels: 2, kernel_size: 1}, relu, flatten, "
        "{type: linear, out_features: 3}]",
    ),
    "flat": ((4,), "[{type: linear, name: first, out_features: 5}, tanh, {type: linear, out_features: 3}]"),
    "many channels": (
        (2048, 2, 2),
        "[{type: conv2d, name: first, out_channels: 4, kernel_size: 1}, relu, "
        "global_avg_pool2d, {type: linear, out_features: 3}]",
    ),
    "colour": (
        (3, 6, 5),
        "[{type: conv2d, name: first, out_channels: 4, kernel_size: 3, padding: same}, batch_norm, relu, "
        "global_avg_pool2d, {type: linear, out_features: 3}]",
    ),
    "no rectifier": (
        (1, 6, 6),
        "[{type: conv2d, name: first, out_channels: 2, kernel_size: 3}, sigmoid, flatten, "
        "{type: linear, out_features: 3}, softmax]",
    ),
}
NUMBERS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "random": lambda shape: np.random.default_rng(0).standard_normal(shape),
    "zero": np.zeros,
    "constant": lambda shape: np.full(shape, 0.5),
    "huge": lambda shape: np.full(shape, 1e30),
    "tiny": lambda shape: np.full(shape, 1e-35),
}


def error_of(outcome: Outcome) -> str:
    """Its one error."""
    (error,) = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    return error
