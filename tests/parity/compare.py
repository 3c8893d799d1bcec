"""One pass of a network in PyTorch, and how far two tensors may be apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cnncli.engine.layout import to_user
from cnncli.engine.plan import cut
from cnncli.engine.walk import generator
from cnncli.graph import Model
from cnncli.layers.run import Run
from cnncli.losses import Loss

from .cases import SEED, Case
from .twin import Twin

Array = NDArray[Any]


def theirs(case: Case, dtype: str, training: bool) -> dict[str, Array]:
    """What PyTorch finds: the same names as `cases.ours`, without values that got no gradient."""
    model = Model.create(case.graph, seed=SEED, dtype=dtype)
    twin = twin_of(model, len(case.x))
    twin.train(training)
    values = twin(torch.tensor(case.x.astype(dtype), requires_grad=True))
    at = case.objective.at
    torch_loss(case.loss, values[at], case.targets, case.graph.shape_of(at)).backward()
    return {
        **{f"activation/{name}": value.detach().numpy() for name, value in values.items()},
        **{f"gradient/{name}": value.grad.numpy() for name, value in values.items() if value.grad is not None},
        **{f"parameter_gradient/{key}": _gradient(value) for key, value in twin.named_parameters()},
        **{f"buffer/{key}": value.numpy() for key, value in twin.named_buffers()},
    }


def _gradient(parameter: torch.Tensor) -> Array:
    return (torch.zeros_like(parameter) if parameter.grad is None else parameter.grad).detach().numpy()


def twin_of(model: Model, samples: int) -> Twin:
    """PyTorch's network with the model's numbers, loaded strictly, and its dropout masks of step 0."""
    twin = Twin(model.graph, dropout_masks(model, samples))
    twin.to(torch.float64 if model.flat.dtype == np.float64 else torch.float32)
    twin.load_state_dict({key: torch.tensor(array) for key, array in model.state_dict().items()}, strict=True)
    return twin


def torch_loss(loss: Loss, y: torch.Tensor, targets: Array, shape: tuple[int, ...]) -> torch.Tensor:
    """PyTorch's function of the same name, on targets as a data set has them."""
    options: Any = loss
    if loss.type == "cross_entropy":
        return F.cross_entropy(y, torch.tensor(targets), label_smoothing=options.label_smoothing)
    if targets.ndim == 1 and len(shape) == 1:
        targets = np.eye(shape[0])[targets]
    function = F.mse_loss if loss.type == "mse" else F.binary_cross_entropy_with_logits
    return function(y, torch.tensor(targets, dtype=y.dtype))


def dropout_masks(model: Model, samples: int) -> dict[str, torch.Tensor]:
    """What each dropout layer makes of ones, micro-batch by micro-batch: two random generators never agree."""
    masks = {}
    for node in model.graph.nodes:
        if node.layer.type == "dropout":
            mask = np.empty((samples, *node.shape), model.flat.dtype)
            for part in cut(model.graph, samples):
                ones = np.ones((*node.shape, part.stop - part.start), model.flat.dtype)
                run = Run(model.flat.dtype, True, samples, generator=generator(0, node.name, 0, part.start))
                mask[part] = to_user(node.layer.forward({}, (ones,), run)[0])
            masks[node.name] = torch.tensor(mask)
    return masks


EPS = {"float32": np.finfo(np.float32).eps, "float64": np.finfo(np.float64).eps}
TOLERANCES = {"float32": 1e-5, "float64": 1e-11}
"""Of the largest magnitude in a tensor."""

ROUNDING = 32
"""How much more than PyTorch in single precision we may be off where a tensor is mostly rounding: the gradient
of a bias before batch norm is 0, and what remains of the sum depends on its order. (Elsewhere PyTorch's own
rounding is some 3e-7 of the largest magnitude, so that this allows no more than the tolerance does.)"""


def allowances(case: Case, dtype: str, training: bool) -> dict[str, tuple[Array, float]]:
    """PyTorch's tensors, and how far ours may be from each."""
    single, double = theirs(case, "float32", training), theirs(case, "float64", training)
    chosen = double if dtype == "float64" else single
    return {
        name: (tensor, max(TOLERANCES[dtype] * largest(tensor), rounding(single[name], double[name], dtype)))
        for name, tensor in chosen.items()
    }


def rounding(single: Array, double: Array, dtype: str) -> float:
    return ROUNDING * largest(single - double) * float(EPS[dtype] / EPS["float32"])


def wrong_tensors(case: Case, ours: dict[str, Array], dtype: str, training: bool) -> dict[str, str]:
    """The tensors that are further from PyTorch's than allowed."""
    wrong = {}
    for name, (expected, allowed) in allowances(case, dtype, training).items():
        assert ours[name].shape == expected.shape, name
        difference = largest(ours[name] - expected)
        if not difference <= allowed:
            wrong[name] = f"{difference:.1e} of {largest(expected):.1e}, allowed {allowed:.1e}"
    return wrong


def largest(tensor: Array) -> float:
    return float(np.abs(tensor).max(initial=0))
