"""Does the same seed give the same bits?"""

from __future__ import annotations

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab, bits_of
from cnncli.machine import available_cores

STEPS = 3


def repeat(lab: Lab) -> Finding:
    """Some steps of the configured optimizer, twice: on one process, and on as many as configured."""
    workers = max(lab.session.workers or available_cores(), 2)
    first, second = _steps(lab, 1), _steps(lab, workers)
    fix = "chance or order enters somewhere that the seed does not govern; please report it with the configuration"
    measured = f"{'the same' if first == second else 'other'} on 1 and {workers} workers"
    return Finding.of(first == second, measured, "the same bits", fix)


def _steps(lab: Lab, workers: int) -> bytes:
    x, targets = lab.batch()
    model, optimizer = lab.new_model(), lab.experiment.optimizer
    slots = optimizer.new_state(model.flat)
    with lab.executor(model, workers) as executor:
        executor.start(len(x))
        for step in range(STEPS):
            result = executor.differentiate(x, lab.objective(targets), training=True, step=step, update_buffers=True)
            optimizer.update(model.flat, result.flat_gradient, slots, step + 1)
    return bits_of(model)


CHECK = Check("same seed, same bits", repeat)
