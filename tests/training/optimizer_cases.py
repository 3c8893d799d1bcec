"""The optimizers' options that are compared with PyTorch, and the problem that they are compared on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.training.optimizers import OPTIMIZERS

Array = NDArray[Any]

REFERENCE = Path(__file__).with_name("optimizer_reference.npz")
STEPS = 200
SIZE = 64

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("sgd", {}),
    "sgd-momentum": ("sgd", {"lr": 0.02, "momentum": 0.9}),
    "sgd-dampening": ("sgd", {"lr": 0.02, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01}),
    "sgd-nesterov": ("sgd", {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "rmsprop": ("rmsprop", {}),
    "rmsprop-momentum": ("rmsprop", {"lr": 1e-3, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.01}),
    "rmsprop-centered": ("rmsprop", {"lr": 1e-3, "centered": True, "eps": 1e-4}),
    "rmsprop-all": ("rmsprop", {"lr": 1e-3, "centered": True, "momentum": 0.5, "weight_decay": 0.01}),
    "adam": ("adam", {}),
    "adam-l2": ("adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}),
    "adam-amsgrad": ("adam", {"lr": 0.01, "amsgrad": True}),
    "adamw": ("adamw", {}),
    "adamw-strong": ("adamw", {"lr": 0.02, "weight_decay": 0.3, "betas": (0.0, 0.9)}),
    "adamw-amsgrad": ("adamw", {"lr": 0.01, "amsgrad": True}),
}
"""By a name: the optimizer's type and its options, which are PyTorch's too."""

TORCH_NAMES = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}


def start() -> Array:
    """The parameters before the first step, float64."""
    return np.linspace(-2, 2, SIZE)


def gradient(parameters: Array, step: int) -> Array:
    """Of a quadratic bowl whose sides differ in steepness by a factor of 100, with a disturbance that is the same in
    every run, and no gradient at all for the last parameter."""
    steepness = np.geomspace(0.05, 5, SIZE)
    noise = np.sin(1.7 * step + np.arange(SIZE))
    found: Array = (steepness * parameters + noise).astype(parameters.dtype)
    found[-1] = 0
    return found


def ours(name: str, dtype: str) -> Array:
    """The parameters after STEPS steps."""
    kind, options = CASES[name]
    optimizer = OPTIMIZERS[kind](**options)
    parameters = start().astype(dtype)
    state = optimizer.new_state(parameters)
    for step in range(1, STEPS + 1):
        optimizer.update(parameters, gradient(parameters, step), state, step)
    return parameters


def theirs(name: str, dtype: str) -> Array:
    """The same by PyTorch."""
    import torch

    kind, options = CASES[name]
    parameters = torch.nn.Parameter(torch.tensor(start().astype(dtype)))
    optimizer = getattr(torch.optim, TORCH_NAMES[kind])([parameters], **options)
    for step in range(1, STEPS + 1):
        parameters.grad = torch.tensor(gradient(parameters.detach().numpy(), step))
        optimizer.step()
    return np.array(parameters.detach().numpy())


if __name__ == "__main__":  # writes the reference values: python -m tests.training.optimizer_cases
    np.savez(
        REFERENCE, **{f"{dtype}/{name}": theirs(name, dtype) for name in CASES for dtype in ("float32", "float64")}
    )
