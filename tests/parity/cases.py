"""The networks that are compared, and what they are fed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.engine import Executor, LossObjective, record_backward
from cnncli.graph import Graph, Model
from cnncli.losses import Loss

Array = NDArray[Any]
CONFIGS = sorted(Path(__file__).parents[2].glob("configs/*.yaml"))
REFERENCES = Path(__file__).with_name("references.npz")
SAMPLES = 11  # more than one micro-batch's unit, and no multiple of it
SEED = 1


@dataclass(frozen=True)
class Case:
    graph: Graph
    loss: Loss
    x: Array
    targets: Array

    @property
    def objective(self) -> LossObjective:
        return LossObjective.of(self.loss, self.graph, self.targets)


def case(path: Path) -> Case:
    """A shipped network with random images and targets."""
    experiment = load(path)
    return make_case(experiment.graph, experiment.loss)


def make_case(graph: Graph, loss: Loss) -> Case:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, *graph.input_shape)).astype(np.float32)
    shape = graph.shape_of(graph.logits(loss.link))
    if loss.type == "cross_entropy":
        targets = rng.integers(0, shape[0], (SAMPLES, *shape[1:]))
    elif loss.type == "bce_with_logits":
        targets = rng.integers(0, 2, (SAMPLES, *shape)).astype(np.float32)
    else:
        targets = rng.normal(size=(SAMPLES, *shape)).astype(np.float32)
    return Case(graph, loss, x, targets)


def ours(case: Case, dtype: str, training: bool) -> dict[str, Array]:
    """Every tensor of one batch: activation/..., gradient/..., parameter_gradient/..., buffer/..."""
    model = Model.create(case.graph, seed=SEED, dtype=dtype)
    x = case.x.astype(dtype)
    with Executor(model, workers=1) as executor:
        recording = record_backward(executor, x, case.objective, training=training)
        executor.differentiate(x, case.objective, training=training, update_buffers=training)
    return {
        **{f"activation/{name}": array for name, array in recording.activations.items()},
        **{f"gradient/{name}": array for name, array in recording.gradients.items()},
        **_flat("parameter_gradient", recording.parameter_gradients),
        **_flat("buffer", model.buffers),
    }


def _flat(kind: str, params: dict[str, dict[str, Array]]) -> dict[str, Array]:
    return {f"{kind}/{node}.{key}": array for node, values in params.items() for key, array in values.items()}
