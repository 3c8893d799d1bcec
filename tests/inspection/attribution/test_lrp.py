"""Layer-wise relevance propagation through whole networks: what theory promises, in double precision."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, cast

import numpy as np
import pytest

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.graph import Graph, Model
from cnncli.inspection.attribution.lrp import Lrp, RelevanceAttribution
from cnncli.inspection.attribution.method import Target
from cnncli.inspection.attribution.saliency import InputTimesGradient
from cnncli.inspection.proxies import LayerProxy, with_layers
from cnncli.layers import Layer
from tests.inspection.attribution.networks import (
    BATCH_NORM,
    LENET,
    NETWORKS,
    TANH,
    inputs,
    model_of,
    network,
    target_of,
)
from tests.parity.random_graphs import random_graph

RULES = {"epsilon": Lrp("epsilon", epsilon=0.1), "alpha-beta": Lrp("alpha-beta"), "z+": Lrp("z+")}
each_rule = pytest.mark.parametrize("method", RULES.values(), ids=RULES)


def attribute(method: Lrp, model: Model, x: np.ndarray, target: Target) -> RelevanceAttribution:
    with Executor(model, workers=1) as executor:
        found = method.attribute(executor, x, target)
    assert isinstance(found, RelevanceAttribution)
    return found


RULED = [graph for graph in map(random_graph, range(54)) if "softmax" not in {node.layer.type for node in graph.nodes}]


@each_rule
@pytest.mark.parametrize("graph", RULED, ids=map(str, range(len(RULED))))
def test_relevance_is_conserved_in_random_networks(method: Lrp, graph: Graph) -> None:
    """Whatever the layers, but for softmax, which no rule fits: what the inputs got and what the offsets and epsilon
    took is the logit."""
    found = attribute(method, model_of(graph), inputs(graph), target_of(graph))
    (check,) = found.checks
    assert check.holds
    flowed = np.abs(found.values).reshape(len(found.values), -1).sum(axis=1)
    flowed += sum(np.abs(layer.arrived) + np.abs(layer.offset) + np.abs(layer.epsilon) for layer in found.layers)
    assert (np.abs(check.left - check.right) <= 1e-12 * flowed).all()


@each_rule
@pytest.mark.parametrize("graph", [LENET, BATCH_NORM, TANH], ids=["lenet", "batch-norm", "tanh"])
def test_relevance_is_conserved_from_layer_to_layer(method: Lrp, graph: Graph) -> None:
    """In a chain each layer hands on what arrived but for what it keeps."""
    layers = attribute(method, model_of(graph), inputs(graph), target_of(graph)).layers
    assert [layer.node for layer in layers] == list(reversed(graph.consumers))
    for layer, before in pairwise(layers):
        handed_on = np.array(layer.arrived) - layer.offset - layer.epsilon
        np.testing.assert_allclose(handed_on, before.arrived, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_without_epsilon_it_is_input_times_gradient_where_all_is_piecewise_linear(graph: Graph) -> None:
    """Ancona et al. 2018, "Towards better understanding of gradient-based attribution methods", section 2.2."""
    x, target = inputs(graph), target_of(graph)
    with Executor(model_of(graph), workers=1) as executor:
        expected = InputTimesGradient().attribute(executor, x, target).values
    found = attribute(Lrp("epsilon", epsilon=0), model_of(graph), x, target).values
    assert np.abs(found - expected).max() <= 1e-11 * np.abs(expected).max()


@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_positive_contributions_alone_give_the_sign_of_the_logit(graph: Graph) -> None:
    """By the z+ rule, of networks that add up and rectify: nothing counts against what it counts for."""
    model = model_of(graph)
    for name, params in model.parameters.items():
        if "running_mean" in model.buffers.get(name, {}):
            params["weight"][...] = np.abs(params["weight"])
    x, target = np.abs(inputs(graph)), target_of(graph)
    found = attribute(Lrp("z+"), model, x, target)
    signs = np.sign(found.checks[0].right)
    smallest = (found.values * signs[:, None, None, None]).min()
    assert smallest >= -1e-12 * np.abs(found.values).max()


@each_rule
def test_many_samples_are_one_by_one(method: Lrp) -> None:
    """More than one micro-batch: each keeps its own accounts."""
    graph, samples = LENET, 150
    x, target = inputs(graph, samples), target_of(graph, samples)
    together = attribute(method, model_of(graph), x, target)
    for index in (0, 70, 149):
        one = slice(index, index + 1)
        alone = attribute(method, model_of(graph), x[one], target[one])
        np.testing.assert_allclose(together.values[one], alone.values, rtol=1e-9, atol=1e-12)
        for both, single in zip(together.layers, alone.layers, strict=True):
            np.testing.assert_allclose(both.offset[index], single.offset[0], rtol=1e-9, atol=1e-12)


@each_rule
def test_a_logit_of_zero_has_no_relevance(method: Lrp) -> None:
    model = model_of(LENET)
    model.parameters["linear2"]["weight"][...] = 0
    model.parameters["linear2"]["bias"][...] = 0
    found = attribute(method, model, inputs(LENET), target_of(LENET))
    assert not found.values.any()
    assert found.checks[0].residual.max() == 0


def test_a_single_input_is_told_what_stayed_where() -> None:
    (note,) = attribute(Lrp(), model_of(LENET), inputs(LENET, 1), target_of(LENET, 1)).notes
    assert note.startswith("relevance: ")
    assert "conv1 " in note
    assert attribute(Lrp(), model_of(LENET), inputs(LENET, 2), target_of(LENET, 2)).notes == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "gamma"}, "--rule gamma: expected epsilon, alpha-beta or z+"),
        ({"epsilon": -1.0}, "--epsilon -1: expected 0 or more, as in 1e-6"),
        ({"epsilon": float("nan")}, "--epsilon nan: expected 0 or more, as in 1e-6"),
        ({"alpha": 0.5}, "--alpha 0.5: expected 1 or more (beta is alpha - 1), as in 2"),
        ({"alpha": float("inf")}, "--alpha inf: expected 1 or more (beta is alpha - 1), as in 2"),
    ],
)
def test_options_that_make_no_rule(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Lrp(**options)
    assert str(caught.value) == message


def test_a_softmax_amid_the_network_has_no_rule() -> None:
    """It has as many outputs as inputs, but each depends on all."""
    layers = [("flatten", "flatten", {}), ("shares", "softmax", {}), ("classes", "linear", {"out_features": 2})]
    graph = network((1, 2, 2), layers)
    with pytest.raises(UsageError) as caught:
        attribute(Lrp(), model_of(graph), inputs(graph), target_of(graph))
    assert str(caught.value) == "lrp has no rule for shares: softmax is neither linear nor element by element"


def test_a_layer_that_no_rule_fits() -> None:
    """One that mixes its inputs, but not linearly."""

    class Median(LayerProxy):
        type: ClassVar[str] = "median_pool2d"
        linear: ClassVar[bool] = False

    classes = ("classes", "linear", {"out_features": 2})
    graph = network((1, 4, 4), [("pool", "avg_pool2d", {"kernel_size": 2}), ("flatten", "flatten", {}), classes])
    model = with_layers(model_of(graph), {"pool": Median(cast(Layer, graph.by_name["pool"].layer))})
    with pytest.raises(UsageError) as caught:
        attribute(Lrp(), model, inputs(graph), target_of(graph))
    assert str(caught.value) == "lrp has no rule for pool: median_pool2d is neither linear nor element by element"
