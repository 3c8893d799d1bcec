"""Phrases that several sentences share."""

from __future__ import annotations

from collections.abc import Sequence

from cnncli.training.advice.evidence import Evidence
from cnncli.training.health import Health
from cnncli.training.metrics import Task

NAMED = 3
"""Layers that a sentence names."""


def lower_rate(evidence: Evidence) -> str:
    """How to train with a tenth of the learning rate."""
    return f"--set optimizer.lr={evidence.lr / 10:.2g}, it is {evidence.lr:.2g}"


def scaled_targets(task: Task) -> str:
    """What goes first in a regression: its losses and gradients are as large as the targets."""
    return "targets of mean 0 and standard deviation 1, " if task.name == "regression" else ""


def layer_names(layers: Sequence[Health]) -> str:
    """`conv1, conv2, conv3 and 4 more`."""
    names = ", ".join(each.node for each in layers[:NAMED])
    return names + (f" and {len(layers) - NAMED} more" if len(layers) > NAMED else "")
