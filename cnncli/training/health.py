"""How healthy each layer is at the end of an epoch: does it move, does it pass anything on, does it still vary.

Two looks that change nothing. The last update of the epoch says how large gradient and step were; a few samples, sent
through the network as in training, say what the activations are like. Dropout draws by counters, and batch norm keeps
its running statistics: the training goes on to the same bits as without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Split
from cnncli.engine import Executor
from cnncli.graph import Graph, Model, flat_views
from cnncli.kernels.moments import Moments, merged
from cnncli.layers.base import Params

Array = NDArray[Any]

SAMPLES = 32
"""That are looked at, but no more than a batch has."""


@dataclass(frozen=True)
class Health:
    """Of one node; what it does not have is None."""

    node: str
    weight_norm: float | None  # of all its parameters together, before the update
    gradient_norm: float | None  # of the gradient that made the epoch's last update
    update_ratio: float | None  # |what the update changed| / weight_norm: about 1e-3 is healthy
    std: float  # of its output, over all elements and samples
    zeros: float | None  # rectifiers: the share of the output that is exactly 0
    dead: float | None  # rectifiers: the share of units, channels or features, that are 0 for every sample

    def row(self, epoch: int, step: int) -> dict[str, str | int | float | None]:
        """As in health.csv."""
        return {"epoch": epoch, "step": step, **asdict(self)}


@dataclass(frozen=True)
class Update:
    """The norms of every node's parameters, of their gradient, and of what an update changed."""

    weights: Mapping[str, float]
    gradients: Mapping[str, float]
    changes: Mapping[str, float]

    @classmethod
    def between(cls, before: Array, model: Model, gradient: Array) -> Update:
        """From the flat parameters before, the model after the update, and the flat gradient that made it."""
        return cls(*(_norms(flat, model.parameters) for flat in (before, gradient, model.flat - before)))

    def ratio(self, node: str) -> float | None:
        """None for a node without parameters; nan where they are all 0."""
        weight = self.weights.get(node)
        return None if weight is None else self.changes[node] / weight if weight else math.nan


class Checkup:
    """Looks at the network, always with the same samples of the training split, evenly spread over it."""

    def __init__(self, executor: Executor, train: Split, batch_size: int) -> None:
        self.executor = executor
        count = min(SAMPLES, batch_size, len(train))
        self.x, _ = train.batch(np.arange(count) * len(train) // count)

    def health(self, update: Update) -> tuple[Health, ...]:
        """Of every node, in the order of the network."""
        graph = self.executor.model.graph
        look = _Look(graph)
        self.executor.infer(self.x, training=True, taps=[look])
        return tuple(
            Health(
                node=node.name,
                weight_norm=update.weights.get(node.name),
                gradient_norm=update.gradients.get(node.name),
                update_ratio=update.ratio(node.name),
                std=look.moments[node.name].std,
                zeros=look.zeros(node.name),
                dead=look.dead(node.name),
            )
            for node in graph.nodes
        )


class _Look:
    """A tap that adds up, micro-batch by micro-batch."""

    def __init__(self, graph: Graph) -> None:
        self.rectifiers = {node.name for node in graph.nodes if node.layer.rectifies}
        self.moments: dict[str, Moments] = {}
        self.nonzero: dict[str, int] = {}
        self.dead_units: dict[str, Array] = {}  # which were 0 for every sample so far
        self.scratch: Array = np.empty(0)

    def __call__(self, name: str, what: str, array: Array, samples: slice) -> None:
        if array.size > self.scratch.size:
            self.scratch = np.empty(array.size, array.dtype)
        mean = float(array.mean())
        centered = np.subtract(array, mean, out=self.scratch[: array.size].reshape(array.shape)).ravel()
        found = Moments(array.size, mean, math.sqrt(float(np.vdot(centered, centered)) / array.size))
        self.moments[name] = merged(self.moments[name], found) if name in self.moments else found
        if name in self.rectifiers:  # nothing is below 0, so that the largest says whether there is anything
            self.nonzero[name] = self.nonzero.get(name, 0) + int(np.count_nonzero(array))
            dead = array.reshape(len(array), -1).max(axis=1) == 0
            self.dead_units[name] = self.dead_units.get(name, np.True_) & dead

    def zeros(self, name: str) -> float | None:
        return 1 - self.nonzero[name] / self.moments[name].size if name in self.rectifiers else None

    def dead(self, name: str) -> float | None:
        return float(self.dead_units[name].mean()) if name in self.rectifiers else None


def _norms(flat: Array, like: Mapping[str, Params]) -> dict[str, float]:
    """By node, over all its tensors together."""
    return {
        node: math.hypot(*(float(np.linalg.norm(view)) for view in params.values()))
        for node, params in flat_views(flat, like).items()
    }
