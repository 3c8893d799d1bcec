"""What is done to gradients and weights besides the optimizer's rule, and the problem on which it is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import Model
from cnncli.training.optimizers import OPTIMIZERS
from cnncli.training.settings import TrainSettings
from cnncli.training.update import Updater, norm_of

from .networks import sequence

Array = NDArray[Any]

REFERENCE = Path(__file__).with_name("update_reference.npz")
STEPS = 200
GRAPH = sequence((4,), ("linear", {"out_features": 5}), ("tanh", {}), ("linear", {"out_features": 3}))

CASES: dict[str, dict[str, Any]] = {
    "clip-norm": {"clip_norm": 0.7},
    "clip-norm-seldom": {"clip_norm": 6.0},
    "clip-value": {"clip_value": 0.25},
    "ema": {"ema": 0.95},
    "ema-none": {"ema": 0.0},
    "ema-clip": {"ema": 0.99, "clip_norm": 1.0},
    "accumulate": {"accumulate": 4},
    "accumulate-clip-ema": {"accumulate": 3, "clip_norm": 1.0, "ema": 0.9},
    "freeze": {"freeze": ("linear0",)},
    "freeze-clip-ema": {"freeze": ("linear2",), "clip_norm": 0.5, "ema": 0.9},
}
"""By a name: keys of `train`."""

OPTIMIZER = ("adamw", {"lr": 0.02, "weight_decay": 0.1})


def gradient(parameters: Array, step: int, batch: int) -> Array:
    """A bowl with a disturbance that is the same in every run; now and then it is steep. Its lowest point is away from
    0, so that the weights keep the size by which their rounding goes."""
    bottom = np.linspace(-2, 2, parameters.size)
    noise = np.sin(1.7 * step + 0.3 * batch + np.arange(parameters.size))
    found: Array = ((parameters - bottom + noise) * (5 if step % 7 == 0 else 1)).astype(parameters.dtype)
    return found


def ours(name: str, dtype: str) -> Array:
    """(2, parameters): the weights after STEPS steps, and those that are kept."""
    settings = TrainSettings(**CASES[name])
    model = Model.create(GRAPH, 3, dtype)
    updater = Updater.new(model, OPTIMIZERS[OPTIMIZER[0]](**OPTIMIZER[1]), settings)
    trained = np.zeros_like(model.flat)
    for span in updater.spans:
        trained[span] = 1  # the engine has no gradient for the others
    for step in range(STEPS):
        start = model.flat.copy()
        for batch in range(settings.accumulate):
            mean = updater.gather(gradient(start, step, batch) * trained, 16, last=False)
        assert mean is not None
        updater.apply(mean, norm_of(mean), updater.optimizer.lr)
    with updater.averaged():
        kept = model.flat.copy()
    return np.stack([model.flat, kept])


def theirs(name: str, dtype: str) -> Array:
    """The same by PyTorch."""
    import torch
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    settings = TrainSettings(**CASES[name])
    module = torch.nn.Sequential()
    for node, params in Model.create(GRAPH, 3, dtype).parameters.items():
        linear = torch.nn.Linear(params["weight"].shape[1], params["weight"].shape[0])
        linear.load_state_dict({key: torch.tensor(array) for key, array in params.items()}, assign=True)
        linear.requires_grad_(node not in settings.freeze)
        module.append(linear)
    weights = list(module.parameters())
    average = None if settings.ema is None else AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))
    optimizer = torch.optim.AdamW(weights, **OPTIMIZER[1])
    for step in range(STEPS):
        flat = np.concatenate([weight.detach().numpy().ravel() for weight in weights])
        optimizer.zero_grad()
        for batch in range(settings.accumulate):
            parts = torch.split(torch.tensor(gradient(flat, step, batch)), [weight.numel() for weight in weights])
            for weight, part in zip(weights, parts, strict=True):
                if weight.requires_grad:
                    share = part.reshape(weight.shape) / settings.accumulate
                    weight.grad = share if weight.grad is None else weight.grad + share
        if settings.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(weights, settings.clip_norm)
        if settings.clip_value is not None:
            torch.nn.utils.clip_grad_value_(weights, settings.clip_value)
        optimizer.step()
        if average is not None:
            average.update_parameters(module)
    kept = weights if average is None else list(average.module.parameters())
    return np.stack([np.concatenate([each.detach().numpy().ravel() for each in group]) for group in (weights, kept)])


if __name__ == "__main__":  # writes the reference values: python -m tests.training.update_cases
    np.savez(
        REFERENCE, **{f"{dtype}/{name}": theirs(name, dtype) for name in CASES for dtype in ("float32", "float64")}
    )
