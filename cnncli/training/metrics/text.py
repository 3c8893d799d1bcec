"""Scores as people read them."""

from __future__ import annotations

from cnncli.training.metrics.task import is_share


def score_text(name: str, value: float) -> str:
    """The loss or a metric: shares are percentages, other numbers have four decimals unless very large or small."""
    if is_share(name):
        return f"{value:.2%}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"
