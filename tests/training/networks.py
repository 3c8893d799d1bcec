"""Small networks, data sets and listeners."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Dataset, Split
from cnncli.data.normalization import Scaling
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.layers import LAYERS
from cnncli.training.progress import Listener, Step

Shape = tuple[int, ...]
Targets = NDArray[Any]

IMAGE: Shape = (1, 6, 6)


def sequence(input_shape: Shape, *layers: tuple[str, dict[str, object]]) -> Graph:
    """One layer after the other, named by type and place."""
    nodes, before = [], INPUT
    for place, (kind, options) in enumerate(layers):
        name = f"{kind}{place}"
        nodes.append((name, LAYERS[kind](**options), (before,)))
        before = name
    return build(input_shape, nodes)


def convnet(outputs: int = 3) -> Graph:
    """Everything that has state or chance in it: batch norm, dropout."""
    return sequence(
        IMAGE,
        ("conv2d", {"out_channels": 4, "kernel_size": 3, "bias": False}),
        ("batch_norm", {}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 2}),
        ("flatten", {}),
        ("dropout", {"p": 0.2}),
        ("linear", {"out_features": outputs}),
    )


def split(targets: Targets, seed: int) -> Split:
    """Images of noise with a bright spot whose place and brightness follow from the target."""
    images = np.random.default_rng(seed).normal(0, 0.3, (len(targets), *IMAGE)).astype(np.float32)
    numbers = targets if targets.ndim == 2 else targets[:, None]
    for column in range(numbers.shape[1]):
        if targets.dtype.kind == "i":
            images[np.arange(len(targets)), 0, 1 + numbers[:, 0], 1 + numbers[:, 0]] += 2
        else:
            images[:, 0, 1 + column, 1 + column] += 2 * numbers[:, column]
    return Split(images, np.arange(len(targets)), targets, IMAGE, Scaling())


def dataset(task: str = "classification", *, train: int = 96, val: int = 40, test: int = 40) -> Dataset:
    """A data set that can be learnt; a split of 0 samples is left out."""
    rng = np.random.default_rng(1)
    draw: dict[str, Callable[[int], Targets]] = {
        "classification": lambda n: rng.integers(0, 3, n),
        "multi-label": lambda n: rng.integers(0, 2, (n, 3)).astype(np.float32),
        "regression": lambda n: rng.normal(size=(n, 2)).astype(np.float32),
    }[task]
    splits = [split(draw(count), seed) if count else None for seed, count in enumerate((train, val, test))]
    assert splits[0] is not None
    return Dataset(splits[0], splits[1], splits[2], None, None)


def weights_of(model: Model) -> dict[str, bytes]:
    return {key: array.tobytes() for key, array in model.state_dict().items()}


class Recorder(Listener):
    """Keeps every step; interrupts the process after one of them, as Ctrl-C does."""

    def __init__(self, interrupt_after: int | None = None) -> None:
        self.interrupt_after = interrupt_after
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        self.steps.append(step)
        if step.step == self.interrupt_after:
            os.kill(os.getpid(), signal.SIGINT)
