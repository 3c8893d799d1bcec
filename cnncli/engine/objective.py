"""What is differentiated: a scalar for every sample, as a function of one value of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.layout import to_user
from cnncli.graph import Graph
from cnncli.losses import Loss

Array = NDArray[Any]


class Objective(Protocol):
    """`at` names the value that it reads; `mean` says whether the batch's objective is the mean or the sum."""

    @property
    def at(self) -> str: ...

    @property
    def mean(self) -> bool: ...

    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        """For y (*shape, n), the given samples of the batch: the scalars (n,) and their gradient, like y."""
        ...


@dataclass(frozen=True)
class LossObjective:
    """The loss of known targets, `targets` being encoded for the loss, batch last.

    With `sample_weight` (N,) the loss of each sample is multiplied by its weight.
    """

    at: str
    loss: Loss
    targets: Array
    mean: bool = True
    sample_weight: Array | None = None

    @classmethod
    def of(cls, loss: Loss, graph: Graph, targets: Array, sample_weight: Array | None = None) -> LossObjective:
        """From targets as a data set has them, batch first. Raises DataError where they do not fit."""
        at = graph.logits(loss.link)
        return cls(at, loss, loss.encode(targets, graph.shape_of(at)), sample_weight=sample_weight)

    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        values, cache = self.loss.forward(y, self.targets[..., samples])
        gradient = self.loss.backward(cache)
        if self.sample_weight is None:
            return values, gradient
        weight = self.sample_weight[samples].astype(y.real.dtype, copy=False)
        return values * weight, gradient * weight


@dataclass(frozen=True)
class LogitObjective:
    """One element of every sample's value, for instance the logit of a class; `index` is (N, ndim), or (1, ndim) for
    all samples alike."""

    at: str
    index: Array
    mean: bool = False

    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        index = self.index if len(self.index) == 1 else self.index[samples]
        places = (*index.T, np.arange(y.shape[-1]))
        gradient = np.zeros_like(y)
        gradient[places] = 1
        return y[places], gradient


@dataclass(frozen=True)
class UpstreamObjective:
    """sum(upstream * y): backward from a given gradient; `upstream` is (N, *shape) or (1, *shape) for all samples."""

    at: str
    upstream: Array
    mean: bool = False

    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        chosen = self.upstream if self.upstream.shape[0] == 1 else self.upstream[samples]
        gradient = np.array(np.broadcast_to(np.moveaxis(chosen, 0, -1), y.shape), y.dtype, order="C")
        return to_user(gradient * y).reshape(y.shape[-1], -1).sum(axis=1), gradient
