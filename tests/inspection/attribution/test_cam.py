"""Class activation maps: the identities that hold, and which layer is taken."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from cnncli.engine import Executor, record_backward
from cnncli.errors import UsageError
from cnncli.graph import Graph, Model
from cnncli.inspection.attribution.cam import CamName, GradCam
from cnncli.inspection.attribution.method import Attribution, Target
from tests.inspection.attribution.networks import (
    BATCH_NORM,
    LENET,
    NETWORKS,
    RESNET,
    TANH,
    inputs,
    model_of,
    network,
    target_of,
)

CONV = {"out_channels": 4, "kernel_size": 3}
ONE_BY_ONE = network(
    (1, 3, 3), [("conv", "conv2d", CONV), ("flatten", "flatten", {}), ("classes", "linear", {"out_features": 2})]
)

TWO_HEADS = network(
    (1, 4, 4),
    [
        ("conv", "conv2d", CONV),
        ("aside", "relu", {}),
        ("flatten", "flatten", {}, ("conv",)),
        ("classes", "linear", {"out_features": 3}),
    ],
)


def attribute(method: GradCam, graph: Graph, model: Model | None = None, target: Target | None = None) -> Attribution:
    with Executor(model or model_of(graph), workers=1) as executor:
        return method.attribute(executor, inputs(graph), target or target_of(graph))


@pytest.mark.parametrize("method", ["grad-cam", "hirescam"])
def test_with_global_average_pooling_it_is_the_class_activation_map(method: CamName) -> None:
    """Zhou et al. 2016: sum over k of w_ck A_k, here times 1 / positions; Selvaraju et al. 2017, appendix A."""
    model, target = model_of(RESNET), target_of(RESNET)
    with Executor(model, workers=1) as executor:
        maps = executor.infer(inputs(RESNET), at="relu3")  # (N, K, h, w)
    weights = model.parameters["linear"]["weight"][target.index[:, 0]]  # (N, K)
    cam = np.einsum("nk,nkhw->nhw", weights, maps)
    for positive in (True, False):
        found = attribute(GradCam(method, positive=positive), RESNET)
        expected = np.maximum(cam, 0) if positive else cam
        np.testing.assert_allclose(found.values * 64, expected, rtol=1e-12, atol=1e-12)
        (check,) = found.checks
        assert check.holds
        assert check.residual.max() < 1e-12


@pytest.mark.parametrize(
    ("graph", "layer"),
    [(LENET, "conv1"), (LENET, "relu1"), (LENET, "pool2"), (RESNET, "norm1"), (RESNET, "add"), (BATCH_NORM, "norm1")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hirescam_is_complete(graph: Graph, layer: str) -> None:
    """Draelos and Carin 2020: the sum of the map is what the layer contributes, the rest is in the offsets."""
    (check,) = attribute(GradCam("hirescam", layer), graph).checks
    assert check.holds
    assert check.residual.max() < 1e-12


def test_no_promise_is_made_where_there_is_none() -> None:
    (check,) = attribute(GradCam("grad-cam", "conv1"), LENET).checks
    assert not check.holds
    assert check.condition == "gradients that are the same at all positions"
    (check,) = attribute(GradCam("hirescam"), TANH).checks
    assert not check.holds
    assert "ReLU" in check.condition
    assert attribute(GradCam("hirescam", "conv2"), RESNET).checks == ()  # another way leads around it
    assert attribute(GradCam("grad-cam++"), LENET).checks == ()


@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_grad_cam_pp_is_the_formula_for_the_exponential_of_the_logit(graph: Graph) -> None:
    """Chattopadhay et al. 2018, equations 5 and 19 with Y = exp(S), divided by the common factor exp(S)."""
    method = GradCam("grad-cam++", positive=False)
    found = attribute(method, graph)
    with Executor(model_of(graph), workers=1) as executor:
        recording = record_backward(executor, inputs(graph), target_of(graph).objective)
    maps, gradient = recording.activations[found.node], recording.gradients[found.node]
    assert recording.values is not None
    score = np.exp(recording.values)[:, None, None, None]
    first, second, third = score * gradient, score * gradient**2, score * gradient**3
    below = 2 * second + maps.sum(axis=(2, 3), keepdims=True) * third
    alpha = np.divide(second, below, out=np.zeros_like(second), where=below != 0)
    weights = (alpha * np.maximum(first, 0)).sum(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(found.values, ((weights * maps).sum(axis=1) / score[:, :, 0, 0, None]), rtol=1e-11)


@pytest.mark.parametrize(
    ("graph", "layer"), [(LENET, "pool2"), (RESNET, "relu3"), (BATCH_NORM, "pool"), (TANH, "tanh1")]
)
def test_the_last_layer_with_positions_is_taken(graph: Graph, layer: str) -> None:
    found = attribute(GradCam(), graph)
    assert found.node == layer
    assert f"{layer} is the last layer with positions that the target depends on; --layer takes another" in found.notes
    assert found.values.shape == (3, *graph.by_name[layer].shape[1:])


@pytest.mark.parametrize("method", get_args(CamName))
def test_maps_that_speak_against_the_class_alone_are_zero(method: CamName) -> None:
    model = model_of(RESNET)
    model.parameters["linear"]["weight"][...] = -1
    found = attribute(GradCam(method), RESNET, model)
    assert not found.values.any()
    assert not found.signed
    assert any(note.startswith("the map of input 1, 2, 3 is 0 everywhere") for note in found.notes)


def test_the_input_can_be_asked_for() -> None:
    found = attribute(GradCam("hirescam", "input"), LENET)
    assert found.node == "input"
    assert found.values.shape == (3, 12, 12)
    assert found.checks[0].residual.max() < 1e-12


@pytest.mark.parametrize(
    ("graph", "layer", "message"),
    [
        (ONE_BY_ONE, "conv", "--layer conv: a value of shape (4, 1, 1) has no positions; take input"),
        (LENET, "flatten", "--layer flatten: a value of shape (24,) has no positions; take input, conv1, relu1"),
        (TWO_HEADS, "aside", "--layer aside: the target does not depend on it; take input or conv"),
        (LENET, "conv7", "--layer conv7: the network has no such layer; did you mean"),
        (network((4,), [("classes", "linear", {"out_features": 3})]), None, "grad-cam needs a layer with channels"),
    ],
)
def test_layers_that_have_no_map(graph: Graph, layer: str | None, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        attribute(GradCam(layer=layer), graph)
    assert str(caught.value).startswith(message)


def test_methods_that_there_are_not() -> None:
    with pytest.raises(UsageError) as caught:
        GradCam("gradcam")  # type: ignore[arg-type]
    assert str(caught.value) == "--method gradcam: expected grad-cam, grad-cam++ or hirescam"


def test_the_network_behind_a_layer() -> None:
    behind = LENET.behind("conv2", "linear2")
    assert behind is not None
    assert behind.input_shape == (6, 4, 4)
    assert [node.name for node in behind.nodes] == ["relu2", "pool2", "flatten", "linear1", "relu3", "linear2"]
    assert behind.nodes[0].inputs == ("input",)
    assert RESNET.behind("norm3", "linear") is None
