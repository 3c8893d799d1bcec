"""The schedules' options that are compared with PyTorch, over a training of 200 updates in 10 epochs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.training.schedules import SCHEDULES, Horizon

Array = NDArray[Any]

REFERENCE = Path(__file__).with_name("schedule_reference.npz")
HORIZON = Horizon(steps=200, steps_per_epoch=20)
LR = 0.05
JUDGED = (2.0, 1.5, 1.4999, 1.6, 1.2, 1.3, 1.3, 1.3, 1.25)
"""What the validations at the end of the epochs find; the last epoch's comes too late to change anything."""

ACCURACIES = (0.5, 0.6, 0.6003, 0.65, 0.62, 0.6506, 0.7, 0.7, 0.7)
"""The same where more is better: PyTorch hears of them as they are, in mode max, and we of their negatives."""

STEPS = {"unit": "steps"}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "constant": ("constant", {}),
    "constant-warmup": ("constant", {"warmup": 3}),
    "constant-warmup-steps": ("constant", {"warmup": 35, "warmup_factor": 0.2, **STEPS}),
    "step": ("step", {"step_size": 3}),
    "step-warmup-steps": ("step", {"step_size": 30, "gamma": 0.5, "warmup": 50, **STEPS}),
    "multistep": ("multistep", {"milestones": (4, 6, 9), "gamma": 0.3}),
    "multistep-warmup": ("multistep", {"milestones": (1, 5), "warmup": 2, "warmup_factor": 0.1}),
    "exponential": ("exponential", {"gamma": 0.8}),
    "exponential-steps": ("exponential", {"gamma": 0.97, **STEPS}),
    "cosine": ("cosine", {}),
    "cosine-warmup": ("cosine", {"warmup": 1.5, "end_factor": 0.02}),
    "cosine-warmup-steps": ("cosine", {"warmup": 7, "warmup_factor": 0.3, **STEPS}),
    "one_cycle": ("one_cycle", {}),
    "one_cycle-linear": ("one_cycle", {"anneal_strategy": "linear", "pct_start": 0.42, "div_factor": 10.0}),
    "one_cycle-falling": ("one_cycle", {"pct_start": 0.0, "final_div_factor": 50.0}),
    "plateau": ("plateau", {"patience": 1}),
    "plateau-abs": ("plateau", {"patience": 0, "factor": 0.5, "threshold": 0.15, "threshold_mode": "abs"}),
    "plateau-cooldown": ("plateau", {"patience": 0, "factor": 0.5, "threshold": 0.3, "cooldown": 2}),
    "plateau-least": ("plateau", {"patience": 0, "factor": 0.5, "threshold": 0.3, "min_factor": 0.2}),
    "plateau-accuracy": ("plateau", {"patience": 0, "threshold": 0.001}),
    "plateau-warmup": ("plateau", {"patience": 0, "factor": 0.5, "threshold": 0.1, "warmup": 4}),
}
"""By a name: the schedule's type and its options."""


def ours(name: str) -> Array:
    """The learning rate in each update."""
    kind, options = CASES[name]
    schedule = SCHEDULES[kind](**options)
    judged = judged_in(name)
    ended = [step // HORIZON.steps_per_epoch for step in range(HORIZON.steps)]
    return np.array([LR * schedule.multiplier(step, HORIZON, judged[:epochs]) for step, epochs in enumerate(ended)])


def judged_in(name: str) -> tuple[float, ...]:
    """What the validations of a case find; lower is better."""
    return tuple(-value for value in ACCURACIES) if name == "plateau-accuracy" else JUDGED


def theirs(name: str) -> Array:
    """The same by PyTorch."""
    import torch

    kind, options = CASES[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    numbers, mode = (ACCURACIES, "max") if name == "plateau-accuracy" else (JUDGED, "min")
    each_update, each_epoch = _schedulers(optimizer, kind, options, mode)
    rates = []
    for step in range(HORIZON.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in each_update:
            scheduler.step()
        epoch, rest = divmod(step + 1, HORIZON.steps_per_epoch)
        if rest == 0 and epoch <= len(numbers):
            each_epoch(numbers[epoch - 1])
    return np.array(rates)


def _schedulers(
    optimizer: Any, kind: str, options: dict[str, Any], mode: str
) -> tuple[list[Any], Callable[[float], None]]:
    """The schedulers to step at every update, and what to call with the validation at the end of an epoch."""
    from torch.optim import lr_scheduler as lib

    given = {key: value for key, value in options.items() if key not in ("unit", "warmup", "warmup_factor")}
    in_steps = options.get("unit") == "steps"
    updates = round(options.get("warmup", 0) * (1 if in_steps else HORIZON.steps_per_epoch))
    warmup = [lib.LinearLR(optimizer, options.get("warmup_factor", 0.01), total_iters=updates)] if updates else []
    if kind == "constant":
        return warmup, lambda judged: None
    if kind == "plateau":
        factor, least = given.pop("factor", 0.1), LR * given.pop("min_factor", 0.0)
        plateau = lib.ReduceLROnPlateau(optimizer, mode, factor=factor, min_lr=least, eps=0, **given)
        return warmup, plateau.step
    if kind == "one_cycle":
        return [lib.OneCycleLR(optimizer, LR, HORIZON.steps, cycle_momentum=False, **given)], lambda judged: None
    if kind == "cosine":
        floor = LR * given.pop("end_factor", 0.0)
        cosine = lib.CosineAnnealingLR(optimizer, HORIZON.steps - updates, floor)
        both = [lib.SequentialLR(optimizer, [*warmup, cosine], [updates])] if updates else [cosine]
        return both, lambda judged: None
    name = {"step": "StepLR", "multistep": "MultiStepLR", "exponential": "ExponentialLR"}[kind]
    scheduler = getattr(lib, name)(optimizer, **given)
    if in_steps:
        return [*warmup, scheduler], lambda judged: None
    return warmup, lambda judged: scheduler.step()


if __name__ == "__main__":  # writes the reference values: python -m tests.training.schedule_cases
    np.savez_compressed(REFERENCE, **{name: theirs(name) for name in CASES})
