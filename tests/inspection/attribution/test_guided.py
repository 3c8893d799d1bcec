"""Guided backpropagation, the deconvnet, and which rectifier blocks what."""

from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, record_backward
from cnncli.errors import UsageError
from cnncli.graph import Graph, Model
from cnncli.inspection.attribution.guided import NO_RECTIFIER, Deconvnet, Guided
from cnncli.inspection.attribution.saliency import Gradient
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.gates import GatesBoard, gates_board
from cnncli.inspection.views.pick import Pick
from tests.inspection.attribution.networks import LENET, NETWORKS, RESNET, TANH, inputs, model_of, network, target_of

METHODS = (Guided(), Deconvnet())
TEE = network(
    (1, 5, 5),
    [
        ("conv", "conv2d", {"out_channels": 3, "kernel_size": 3}),
        ("relu", "relu", {}),
        ("flatten", "flatten", {}),
        ("classes", "linear", {"out_features": 3}),
    ],
)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_without_a_rectifier_it_is_the_gradient(method: Guided | Deconvnet) -> None:
    with Executor(model_of(TANH), workers=1) as executor:
        x, target = inputs(TANH), target_of(TANH)
        found, gradient = (each.attribute(executor, x, target) for each in (method, Gradient()))
    np.testing.assert_array_equal(found.values, gradient.values)
    assert found.notes == (NO_RECTIFIER,)


def test_by_hand_on_one_rectifier() -> None:
    """What goes back through the convolution, once the rectifier has let it through."""
    model, x, target = model_of(TEE), inputs(TEE), target_of(TEE)
    with Executor(model, workers=1) as executor:
        recording = record_backward(executor, x, target.objective)
        found = {method.name: method.attribute(executor, x, target) for method in METHODS}
    arriving, is_open = recording.gradients["relu"], recording.activations["conv"] > 0
    weight = model.parameters["conv"]["weight"]  # (3, 1, 3, 3)
    for name, passed in (("guided", arriving * is_open * (arriving > 0)), ("deconvnet", arriving * (arriving > 0))):
        expected = np.zeros_like(x)
        for row, column in np.ndindex(3, 3):
            expected[:, :, row : row + 3, column : column + 3] += np.einsum(
                "nk,kcij->ncij", passed[:, :, row, column], weight
            )
        np.testing.assert_allclose(found[name].values, expected, rtol=1e-12, atol=1e-14)
        assert not found[name].notes


@pytest.mark.parametrize("graph", [LENET, TEE], ids=["lenet", "tee"])
def test_positive_weights_block_nothing(graph: Graph) -> None:
    """No gradient is negative then, and no gate is closed where the input is positive too."""
    model = model_of(graph)
    np.abs(model.flat, out=model.flat)
    x = np.abs(inputs(graph))
    with Executor(model, workers=1) as executor:
        gradient = Gradient().attribute(executor, x, target_of(graph)).values
        for method in METHODS:
            np.testing.assert_array_equal(method.attribute(executor, x, target_of(graph)).values, gradient)


def gates(graph: Graph, pick: Pick | None = None, model: Model | None = None) -> GatesBoard:
    subject = Subject("x", samples=3, sample=1)
    with Executor(model or model_of(graph), workers=1) as executor:
        return gates_board(executor, inputs(graph), target_of(graph), subject, pick or Pick(top=None))


@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_gates_split_the_gradient_that_arrives(graph: Graph) -> None:
    board = gates(graph)
    with Executor(model_of(graph), workers=1) as executor:
        recording = record_backward(executor, inputs(graph)[1:2], target_of(graph)[1:2].objective)
    nodes = [node for node in graph.nodes if node.layer.type == "relu"]
    assert [each.node for each in board.gates] == [node.name for node in nodes]
    assert [sheet.rows[0].node for sheet in board.sheets] == [node.name for node in nodes]
    for node, sheet, shares in zip(nodes, board.sheets, board.gates, strict=True):
        arriving, forward, backward, deconvnet = (row.array for row in sheet.rows)
        np.testing.assert_array_equal(arriving, recording.gradients[node.name][0])
        before = recording.activations[node.inputs[0]][0]
        np.testing.assert_array_equal(arriving - forward, arriving * (before > 0))
        np.testing.assert_array_equal(arriving - forward - backward, arriving * (before > 0) * (arriving > 0))
        np.testing.assert_array_equal(deconvnet, np.maximum(arriving, 0))
        whole = np.abs(arriving).sum()
        assert shares.open == (before > 0).sum()
        assert shares.gates == before.size
        for share, part in (
            (shares.blocked_forward, forward),
            (shares.blocked_backward, backward),
            (shares.deconvnet, deconvnet),
        ):
            assert share == pytest.approx(np.abs(part).sum() / whole, rel=1e-12)
        assert str(shares) in sheet.notes
        assert len({row.statistics for row in sheet.rows}) == 1  # one colour scale
        assert [tile.label for tile in sheet.rows[3].tiles] == [tile.label for tile in sheet.rows[0].tiles]


def test_the_strongest_gates_come_first() -> None:
    row = gates(RESNET, Pick(("relu3",), top=2)).sheets[0].rows[0]
    strengths = np.abs(row.array).mean(axis=(1, 2))
    assert list(row.channels) == np.argsort(-strengths)[:2].tolist()
    assert row.ranked
    assert row.total == 4


def test_gates_that_no_gradient_reaches() -> None:
    model = model_of(TEE)
    model.parameters["classes"]["weight"][...] = 0
    (shares,) = gates(TEE, model=model).gates
    assert str(shares).endswith("no gradient arrives")


@pytest.mark.parametrize(
    ("graph", "pick", "message"),
    [
        (TANH, Pick(), "there is no rectifier (relu) on the way to the target, and so no gate"),
        (
            LENET,
            Pick(("conv1",)),
            "--layer conv1: it is no rectifier on the way to the target; take relu1, relu2 or relu3",
        ),
        (LENET, Pick(("relu1",), (9,)), "--channels: there is no channel 9; relu1 has 4"),
        (LENET, Pick(("relu9",)), "--layer relu9: the network has no such layer; did you mean 'relu3'?"),
    ],
)
def test_what_is_not_there(graph: Graph, pick: Pick, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gates(graph, pick)
    assert str(caught.value) == message
