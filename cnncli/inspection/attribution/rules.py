"""Ways back through a layer that are not its derivative: stand-ins whose backward follows another rule.

A network with such stand-ins is run by the ordinary executor; what then arrives at the input is the attribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, Objective, Tap
from cnncli.graph import Graph, Model, Node
from cnncli.inspection.proxies import LayerProxy, with_layers
from cnncli.layers.base import Cache, Params
from cnncli.layers.run import Run

Array = NDArray[Any]
Gradients = tuple[tuple[Array | None, ...], Params]


class Rule(LayerProxy):
    """A stand-in whose `backward` is no derivative."""


class GuidedRectifier(Rule):
    """dx = dy * (x > 0) * (dy > 0): guided backpropagation (Springenberg et al. 2015)."""

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> Gradients:
        upward = np.maximum(dy, 0, out=dy if run.owns_dy else run.empty(dy.shape, dy.dtype))
        return self.layer.backward(params, cache, upward, replace(run, owns_dy=True))


class DeconvRectifier(Rule):
    """dx = max(dy, 0), whatever x was: the deconvnet (Zeiler and Fergus 2014)."""

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> Gradients:
        return (np.maximum(dy, 0, out=dy if run.owns_dy else run.empty(dy.shape, dy.dtype)),), {}


def rectifiers(graph: Graph, at: str) -> tuple[Node, ...]:
    """Those that the value `at` depends on, in their order."""
    return tuple(node for node in graph.up_to(at).nodes if node.layer.rectifies)


def go_back(
    executor: Executor, rules: Mapping[str, LayerProxy], x: Array, objective: Objective, taps: Sequence[Tap] = ()
) -> Array:
    """What arrives at the input, (N, *input_shape), where the given nodes follow `rules`; x is (N, *input_shape)."""
    model: Model = with_layers(executor.model, rules)
    with Executor(model, workers=1) as ruled:  # a single pass is over before helpers are up
        arrived = ruled.differentiate(x, objective, everything=True, taps=taps).input_gradient
    assert arrived is not None
    return arrived
