from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor, LogitObjective, Recording, record_backward
from cnncli.graph import INPUT, Model
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.flow import backward_view, forward_view
from tests.inspection.views.makers import SUBJECT, batch


def test_forward_has_statistics_of_all_samples_and_values_of_one(model: Model, forward: Recording) -> None:
    view = forward_view(forward, model.graph, SUBJECT)
    assert [row.name for row in view.layers] == [INPUT, "conv1", "relu1", "pool1", "flatten1", "dropout1", "linear1"]
    conv = view.layers[1]
    assert (conv.type, conv.inputs, conv.shape) == ("conv2d", (INPUT,), (4, 4, 4))
    assert conv.statistics.min == forward.activations["conv1"].min()
    assert conv.statistics.size == 3 * 64
    assert np.array_equal(conv.values, forward.activations["conv1"][1])
    strengths = np.abs(conv.values).mean(axis=(1, 2))
    assert list(conv.ranked) == np.argsort(-strengths).tolist()


def test_backward_has_norms_ratios_and_the_objective(model: Model, backward: Recording) -> None:
    view = backward_view(backward, model, SUBJECT)
    assert view.objective == pytest.approx(backward.activations["linear1"][:, 2].sum())
    assert [(row.node, row.key) for row in view.parameters] == [
        ("conv1", "weight"),
        ("conv1", "bias"),
        ("linear1", "weight"),
        ("linear1", "bias"),
    ]
    weight, bias, *_ = view.parameters
    gradient = backward.parameter_gradients["conv1"]["weight"]
    assert weight.gradient.norm == pytest.approx(np.linalg.norm(gradient.ravel()))
    assert weight.ratio == pytest.approx(
        weight.gradient.norm / np.linalg.norm(model.parameters["conv1"]["weight"].ravel())
    )
    assert bias.weight_norm == 0
    assert bias.ratio is None
    assert [row.name for row in view.layers][-1] == "linear1"


def test_what_the_objective_does_not_depend_on_is_left_out(model: Model) -> None:
    with Executor(model) as executor:
        recording = record_backward(executor, batch(), LogitObjective("pool1", np.array([[0, 0, 0]])))
    view = backward_view(recording, model, SUBJECT)
    assert [row.name for row in view.layers] == [INPUT, "conv1", "relu1", "pool1"]


def test_the_flow_has_all_parameters_of_a_layer_together(model: Model, backward: Recording) -> None:
    view = backward_view(backward, model, SUBJECT)
    assert [row.name for row in view.flow] == [row.name for row in view.layers]
    for row, layer in zip(view.flow, view.layers, strict=True):
        assert row.norm == layer.statistics.norm
        gradients = backward.parameter_gradients.get(row.name, {})
        parameters = model.parameters.get(row.name, {})
        if not gradients:
            assert (row.parameter_norm, row.ratio) == (None, None)
            continue
        norm, weight = (
            np.linalg.norm(np.concatenate([array.ravel() for array in arrays.values()]))
            for arrays in (gradients, parameters)
        )
        assert row.parameter_norm == pytest.approx(norm)
        assert row.ratio == pytest.approx(norm / weight)


def test_dead_units_are_told_of_several_samples_only(model: Model, forward: Recording) -> None:
    silent = Recording(forward.output, {name: array.copy() for name, array in forward.activations.items()})
    silent.activations["relu1"][:, 1] = 0
    view = forward_view(silent, model.graph, SUBJECT)
    assert [row.dead for row in view.layers if row.name == "relu1"] == [(1,)]
    one = Recording(silent.output[:1], {name: array[:1] for name, array in silent.activations.items()})
    alone = forward_view(one, model.graph, Subject("x"))
    assert {row.dead for row in alone.layers} == {None}
