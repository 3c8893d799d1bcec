"""A hundred training steps follow PyTorch's, loss by loss, for every optimizer; weights travel both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.engine import Executor, LossObjective
from cnncli.graph import Model
from cnncli.training.checkpoint import load_weights, save_weights
from cnncli.training.optimizers import OPTIMIZERS, Optimizer

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the stored reference values serve")

from .compare import torch_loss, twin_of

Array = NDArray[Any]
STEPS, BATCH = 100, 8
TOLERANCES = {"float32": 1e-3, "float64": 1e-9}
CONFIGS = Path(__file__).parents[2] / "configs"
CASES = [
    ("depthwise-mini", "float32"),
    ("mlp-sigmoid", "float32"),
    ("depthwise-mini", "float64"),
    ("mlp-sigmoid", "float64"),
    # In single precision this is no test: at a kink (the winner of a max pooling, a ReLU near 0) rounding decides,
    # and PyTorch's own losses leave its double precision ones by up to 8% within a hundred steps.
    ("lenet5", "float64"),
]

CHOICES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "sgd": [
        ({"lr": 0.02}, lambda p: torch.optim.SGD(p, lr=0.02)),
        (
            {"lr": 0.005, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
            lambda p: torch.optim.SGD(p, lr=0.005, momentum=0.9, nesterov=True, weight_decay=1e-3),
        ),
    ],
    "rmsprop": [({"lr": 2e-4}, lambda p: torch.optim.RMSprop(p, lr=2e-4))],
    "adam": [({"lr": 5e-4, "weight_decay": 1e-3}, lambda p: torch.optim.Adam(p, lr=5e-4, weight_decay=1e-3))],
    "adamw": [({"lr": 5e-4}, lambda p: torch.optim.AdamW(p, lr=5e-4))],
}


def test_every_optimizer_is_followed() -> None:
    assert set(CHOICES) == set(OPTIMIZERS)


def batches(shape: tuple[int, ...]) -> list[tuple[Array, Array]]:
    """Easy to learn: each class has its own mean image."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(10, *shape))
    found = []
    for _ in range(STEPS):
        labels = rng.integers(0, 10, BATCH)
        found.append(((means[labels] + rng.normal(size=(BATCH, *shape))).astype(np.float32), labels))
    return found


@pytest.mark.parametrize(("name", "dtype"), CASES)
@pytest.mark.parametrize(
    ("kind", "index"), [(kind, index) for kind, choices in CHOICES.items() for index in range(len(choices))]
)
def test_losses_follow_pytorch(kind: str, index: int, name: str, dtype: str) -> None:
    options, torch_optimizer = CHOICES[kind][index]
    experiment = load(CONFIGS / f"{name}.yaml")
    graph, loss = experiment.graph, experiment.loss
    model = Model.create(graph, seed=3, dtype=dtype)
    twin = twin_of(model, BATCH)
    data = [(x.astype(dtype), labels) for x, labels in batches(graph.input_shape)]
    ours = train(model, loss, OPTIMIZERS[kind](**options), data)
    optimizer = torch_optimizer(twin.parameters())
    theirs = []
    for x, labels in data:
        optimizer.zero_grad()
        at = graph.logits(loss.link)
        value = torch_loss(loss, twin(torch.tensor(x))[at], labels, graph.shape_of(at))
        value.backward()
        optimizer.step()
        theirs.append(value.item())
    assert theirs[-1] < 0.95 * theirs[0]  # it did learn
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCES[dtype])


def train(model: Model, loss: Any, optimizer: Optimizer, data: list[tuple[Array, Array]]) -> list[float]:
    state = optimizer.new_state(model.flat)
    losses = []
    with Executor(model, workers=1) as executor:
        for step, (x, labels) in enumerate(data, start=1):
            objective = LossObjective.of(loss, model.graph, labels)
            result = executor.differentiate(x, objective, training=True, update_buffers=True)
            optimizer.update(model.flat, result.flat_gradient, state, step)
            losses.append(result.value)
    return losses


def test_weights_load_in_pytorch_and_back(tmp_path: Path) -> None:
    graph = load(CONFIGS / "resnet-mini.yaml").graph
    model, other = Model.create(graph, seed=5), Model.create(graph, seed=6)
    save_weights(tmp_path / "ours.safetensors", model)
    from safetensors.torch import load_file, save_file

    twin = twin_of(other, 1)
    twin.load_state_dict(load_file(tmp_path / "ours.safetensors"), strict=True)
    save_file({key: value.clone() for key, value in twin.state_dict().items()}, tmp_path / "theirs.safetensors")
    load_weights(tmp_path / "theirs.safetensors", other)
    assert all(np.array_equal(array, other.state_dict()[key]) for key, array in model.state_dict().items())
