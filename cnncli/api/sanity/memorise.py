"""Can the network learn a single batch by heart? One that cannot will not learn a data set."""

from __future__ import annotations

from statistics import fmean
from time import perf_counter

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab
from cnncli.training.optimizers import Adam

SAMPLES = 32
RATES = (1e-3, 1e-2)
"""Of Adam, one after the other until one does; the configured optimizer has its own check."""
STEPS, SECONDS = 1000, 6.0
"""The most of each rate."""
ENOUGH = 0.02
"""What may be left of the loss of the best constant prediction."""


def memorise(lab: Lab) -> Finding:
    """The loss on one batch falls to about 0.

    What keeps a network from being sure is left out: label smoothing, weight decay, augmentation; dropout has the same
    masks in every step.
    """
    x, targets = lab.batch(SAMPLES)
    constant = lab.baseline(targets).loss
    least = fmean(lab.baseline(targets[[place]]).loss for place in range(len(targets)))
    enough = least + ENOUGH * max(constant - least, 1e-3)
    best, steps = float("inf"), 0
    for rate in RATES:
        found, taken = _learn(lab, rate, enough)
        steps += taken
        best = min(best, found)
        if best <= enough:
            break
    measured = f"loss {best:.2g} after {steps:,} steps"
    fix = (
        "the network has too few parameters, or a layer destroys what tells the samples apart, or gradients are wrong "
        "or vanish: see the checks above and below"
    )
    return Finding.of(best <= enough, measured, f"{enough:.2g} at most, on {len(x)} samples", fix)


def _learn(lab: Lab, rate: float, enough: float) -> tuple[float, int]:
    """The least loss that was seen, and after how many steps."""
    x, targets = lab.batch(SAMPLES)
    objective, optimizer = lab.objective(targets, lab.plain_loss), Adam(lr=rate)
    model = lab.new_model()
    slots, best, started = optimizer.new_state(model.flat), float("inf"), perf_counter()
    with lab.executor(model, workers=1) as executor:
        for step in range(1, STEPS + 1):
            result = executor.differentiate(x, objective, training=True, update_buffers=True)
            best = min(best, result.value)
            if best <= enough or not np.isfinite(result.value) or perf_counter() - started > SECONDS:
                return best, step
            optimizer.update(model.flat, result.flat_gradient, slots, step)
    return best, STEPS


CHECK = Check("learns one batch", memorise)
