"""Does a network that has learnt nothing know nothing?"""

from __future__ import annotations

import math

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab

BATCHES = 8
NEAR = (0.5, 2.5)
"""Of a classifier: how many times the loss of outputs that are all alike. Dropout and batch norm before the last layer
may well bring it to twice that; weights that are too large, or inputs of 0 to 255, to a hundred times."""
LARGEST = 10.0
"""Of other losses: how many times that of the best constant, which a fresh network does not know."""


def initial_loss(lab: Lab) -> Finding:
    """Before the first update a classifier should be as good as chance: ln C for C classes."""
    size = len(lab.batch()[0])
    values = []
    chosen = lab.train.targets[: BATCHES * size]
    with lab.executor(lab.new_model()) as executor:
        for start in range(0, len(chosen), size):
            x, targets = lab.train.batch(np.arange(start, min(start + size, len(chosen))))
            values.append(executor.differentiate(x, lab.objective(targets), training=True, step=start).values)
    found = float(np.concatenate(values).mean())
    link, guessing = lab.experiment.loss.link, lab.baseline(chosen)
    if link is None:
        return _of_numbers(found, guessing.loss)
    chance = guessing.even
    classes = f"ln {lab.shape[0]} = " if link == "softmax" else ""
    expected = f"{classes}{chance:.3g}, {NEAR[0]:g} to {NEAR[1]:g} times that"
    if found < NEAR[0] * chance:
        fix = "the network knows the answer before it has learnt: do the inputs hold it, or is it always the same?"
        return Finding("FAIL", f"{found:.3g}", expected, fix)
    fix = (
        "it is sure of wrong answers: give the layers smaller initial weights (their own by default, or init: "
        "{weight: he_normal}), and normalise the inputs"
    )
    return Finding.of(found <= NEAR[1] * chance, f"{found:.3g}", expected, fix)


def _of_numbers(found: float, constant: float) -> Finding:
    expected = f"{LARGEST:g} times the best constant's at most, {constant:.3g}"
    fix = "the targets are far from what the network begins with: bring them to a mean of 0 and a deviation of 1"
    return Finding.of(math.isfinite(found) and found <= LARGEST * constant, f"{found:.3g}", expected, fix)


CHECK = Check("initial loss", initial_loss)
