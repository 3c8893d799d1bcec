"""Before anything is timed: do all compute the same?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LOSS_TOLERANCE = 1e-3
"""Relative, of the losses of the first training steps."""

OUTPUT_TOLERANCE = 1e-4
"""Of the largest number in the output of inference."""

TRAINED_TOLERANCE = 1e-2
"""The same after the first training steps, to see that the running statistics moved alike: had they not, the outputs
would be further apart. It is no closer because Adam divides each gradient by its own size, so that the rounding of the
smallest ones becomes whole steps."""


def disagreements(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """For what several contestants computed ({label: {"losses": [...], "output": [[...], ...]}}) one line for each
    that differs from the first."""
    (reference, first), *others = found.items()
    lines = []
    for label, other in others:
        if not np.allclose(other["losses"], first["losses"], rtol=LOSS_TOLERANCE, atol=0):
            lines.append(f"the first losses are {other['losses']} in {label}, {first['losses']} in {reference}")
            continue
        tolerance = TRAINED_TOLERANCE if first["losses"] else OUTPUT_TOLERANCE
        expected, got = np.asarray(first["output"]), np.asarray(other["output"])
        distance = float(np.abs(got - expected).max() / np.abs(expected).max())
        if not distance <= tolerance:
            lines.append(f"the outputs of {label} and {reference} are {distance:.1e} of the largest apart")
    return lines
