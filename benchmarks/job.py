"""What every contestant is given: one network, its weights, and data that lie in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.graph import Graph, Model
from cnncli.losses import Loss

Array = NDArray[Any]

HERE = Path(__file__).parent
CONFIGS = HERE.parent / "configs"

SMALL_NETWORKS = {
    name: CONFIGS / f"{name}.yaml"
    for name in ("mnist-keras", "lenet5", "tf-cnn", "vgg-mini", "resnet-mini", "depthwise-mini")
}
LARGE_NETWORKS = {"vgg16-like": HERE / "vgg16-like.yaml"}
NETWORKS = {**SMALL_NETWORKS, **LARGE_NETWORKS}

LEARNING_RATE, BETAS, EPS = 1e-3, (0.9, 0.999), 1e-8
"""Of Adam, for everybody: PyTorch's defaults."""

IMAGE_BATCHES = 8
"""Batches of images, visited in turn."""

LABEL_BATCHES = 1009
"""Batches of random labels, visited in turn. They are many and their number is prime, so that an image is not seen
with the same label twice for a long time: nothing can be learned by heart, and the thousandth step is the same work
as the first, without vanishing gradients and their denormal numbers, at which processors crawl."""


@dataclass(frozen=True)
class Job:
    """`images` is (IMAGE_BATCHES, batch, C, H, W) and `labels` (LABEL_BATCHES, batch); `weights` are under PyTorch's
    names and in its layouts. Each contestant turns them into what suits it before the clock starts."""

    graph: Graph
    loss: Loss
    weights: dict[str, Array]
    images: Array
    labels: Array

    @property
    def logits(self) -> str:
        """The node that the loss reads."""
        return self.graph.logits(self.loss.link)

    @classmethod
    def make(cls, config: Path, batch_size: int) -> Self:
        """Random images and labels for a network of images and classes, freshly initialised."""
        experiment = load(config)
        if experiment.loss.type != "cross_entropy":
            raise SystemExit(
                f"{config}: the benchmarks compare networks with cross_entropy, not {experiment.loss.type}"
            )
        graph, rng = experiment.graph, np.random.default_rng(0)
        weights = Model.create(graph, seed=0).state_dict()
        for key, array in weights.items():  # running statistics that tell whether they are used
            if key.endswith("running_mean"):
                array[...] = rng.normal(0, 0.1, array.shape)
            elif key.endswith("running_var"):
                array[...] = rng.uniform(0.5, 1.5, array.shape)
        if len(graph.output.shape) != 1:
            raise SystemExit(f"{config}: the benchmarks compare networks that end in classes, not {graph.output.shape}")
        (classes,) = graph.output.shape
        images = rng.standard_normal((IMAGE_BATCHES, batch_size, *graph.input_shape), np.float32)
        labels = rng.integers(0, classes, (LABEL_BATCHES, batch_size))
        return cls(graph, experiment.loss, weights, images, labels)

    def save(self, path: Path) -> None:
        """The numbers, for `load`."""
        weights: dict[str, Any] = {f"weights/{key}": array for key, array in self.weights.items()}
        np.savez(path, images=self.images, labels=self.labels, **weights)

    @classmethod
    def load(cls, config: Path, path: Path) -> Self:
        """The network of a configuration with the numbers that `save` wrote."""
        experiment = load(config)
        with np.load(path) as file:
            arrays = dict(file)
        images, labels = arrays.pop("images"), arrays.pop("labels")
        weights = {key.removeprefix("weights/"): array for key, array in arrays.items()}
        return cls(experiment.graph, experiment.loss, weights, images, labels)

    def of(self, node: str) -> dict[str, Array]:
        """The weights of one node, by their keys: `weight`, `bias`, `running_mean`, ..."""
        prefix = f"{node}."
        return {key.removeprefix(prefix): array for key, array in self.weights.items() if key.startswith(prefix)}
