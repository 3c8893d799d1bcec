"""The rules of relevance against their formulas, for every linear layer; and stand-ins as layers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.inspection.attribution.relevance import (
    AlphaBetaRule,
    EpsilonRule,
    Ledger,
    LinearRule,
    without_offset,
)
from cnncli.inspection.attribution.rules import DeconvRectifier, GuidedRectifier
from cnncli.inspection.proxies import with_layers
from cnncli.layers.base import Layer
from tests.inspection.attribution.networks import LENET, inputs, model_of, target_of
from tests.layers.cases import BATCH, CASES, Case, numbers
from tests.layers.harness import apply

Array = NDArray[np.float64]

LINEAR = {name: case for name, case in CASES.items() if case.layer.linear and not case.training}
each_linear = pytest.mark.parametrize("case", LINEAR.values(), ids=LINEAR)


def matrix_of(case: Case) -> tuple[Array, Array]:
    """(out, in) and the offset (out,) of the layer, by what it makes of unit vectors; its inputs one after another."""
    sizes = [int(np.prod(shape)) for shape in case.shapes]
    units = np.split(np.eye(sum(sizes), sum(sizes)), np.cumsum(sizes)[:-1], axis=1)
    count = sum(sizes) + 1
    xs = [np.vstack([unit, np.zeros(size)]).reshape(count, *shape)
          for unit, size, shape in zip(units, sizes, case.shapes, strict=True)]  # fmt: skip
    y = apply(case.layer, case.tensors(), xs).y.reshape(count, -1)
    return (y[:-1] - y[-1]).T, y[-1]


def by_formula(rule: LinearRule, case: Case, relevance: Array) -> tuple[Array, Array]:
    """What each input of each sample gets, (BATCH, in), and what the offset takes, (BATCH,)."""
    matrix, offset = matrix_of(case)
    x = np.concatenate([each.reshape(BATCH, -1) for each in case.inputs()], axis=1)
    contributions = np.concatenate([matrix * x[:, None], np.broadcast_to(offset[:, None], (BATCH, len(offset), 1))], 2)
    z = contributions.sum(axis=2, keepdims=True)  # (BATCH, out, 1)
    if isinstance(rule, EpsilonRule):
        shares = contributions / (z + rule.epsilon * np.where(z < 0, -1, 1))
    else:
        assert isinstance(rule, AlphaBetaRule)
        plus, minus = np.maximum(contributions, 0), np.minimum(contributions, 0)
        has_plus, has_minus = plus.sum(axis=2, keepdims=True) > 0, minus.sum(axis=2, keepdims=True) < 0
        with np.errstate(invalid="ignore"):
            of_plus = np.where(has_plus, plus / plus.sum(axis=2, keepdims=True), 0)
            of_minus = np.where(has_minus, minus / minus.sum(axis=2, keepdims=True), 0)
        alpha, beta = np.where(has_minus, rule.alpha, 1), np.where(has_plus, rule.alpha - 1, -1)
        shares = alpha * of_plus - beta * of_minus
    found = (shares * relevance.reshape(BATCH, -1, 1)).sum(axis=1)
    return found[:, :-1], found[:, -1]


def rules(case: Case, ledger: Ledger) -> list[LinearRule]:
    offset = matrix_of(case)[1].reshape(*case.layer.infer(case.shapes), 1)
    return [
        EpsilonRule(case.layer, "it", offset, ledger, 0.25),
        AlphaBetaRule(case.layer, "it", offset, ledger, 2.0),
        AlphaBetaRule(case.layer, "it", offset, ledger, 1.0),
    ]


@pytest.mark.parametrize("owned", [False, True])
@each_linear
def test_relevance_is_shared_out_by_the_formula(case: Case, owned: bool) -> None:
    relevance = numbers((BATCH, *case.layer.infer(case.shapes)), 4)
    ledger = Ledger(BATCH)
    for rule in rules(case, ledger):
        ledger("it", "gradient", np.moveaxis(relevance, 0, -1), slice(0, BATCH))
        own = not rule.keeps_output and not rule.aliases_input  # its output, that is: others may write over it
        passed = apply(rule, case.tensors(), case.inputs(), relevance, owned=owned, spoil_output=own)
        expected, taken = by_formula(rule, case, relevance)
        found = np.concatenate([np.asarray(dx).reshape(BATCH, -1) for dx in passed.dxs], axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(ledger.offsets["it"], taken, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(ledger.arrived["it"], relevance.reshape(BATCH, -1).sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(
            found.sum(axis=1) + taken + ledger.stabiliser.pop("it", 0), ledger.arrived["it"], rtol=1e-9
        )
        assert passed.gradients == {}


@each_linear
def test_what_nobody_wants_is_not_given(case: Case) -> None:
    ledger = Ledger(BATCH)
    ledger("it", "gradient", np.zeros(BATCH), slice(0, BATCH))
    for rule in rules(case, ledger):
        passed = apply(rule, case.tensors(), case.inputs(), case.upstream(), needs=False)
        assert set(passed.dxs) == {None}


@each_linear
def test_without_its_offset_a_layer_keeps_zero(case: Case) -> None:
    zeros = [np.zeros((1, *shape)) for shape in case.shapes]
    assert not apply(case.layer, without_offset(case.tensors()), zeros).y.any()


def test_contributions_of_one_sign_share_everything() -> None:
    case = LINEAR["linear out_features=4 1"]
    offset = np.array([[-1.0], [1.0], [0.0], [-1.0]])
    weight = np.array([[-1.0], [1.0], [0.0], [1.0]]) * np.ones(6)
    ledger = Ledger(1)
    ledger("it", "gradient", np.zeros((1, 1)), slice(0, 1))
    rule = AlphaBetaRule(case.layer, "it", offset, ledger, 2.0)
    tensors = {"weight": weight, "bias": offset[:, 0]}
    (dx,) = apply(rule, tensors, [np.ones((1, 6))], np.array([[7.0, 14.0, 5.0, 1.0]])).dxs
    # 7 and 14 in seven equal parts; nothing contributes to the third; of the last 2 go to the inputs, -1 to the offset.
    np.testing.assert_allclose(dx, np.full((1, 6), 1 + 2 + 0 + 2 / 6), rtol=1e-14)
    np.testing.assert_allclose(ledger.offsets["it"], [1 + 2 + 0 - 1], rtol=1e-14)


@pytest.mark.parametrize("rule", [GuidedRectifier, DeconvRectifier])
@pytest.mark.parametrize("owned", [False, True])
def test_rectifiers_by_other_rules(rule: type[GuidedRectifier | DeconvRectifier], owned: bool) -> None:
    case = CASES["relu 3"]
    (x,), dy = case.inputs(), case.upstream()
    (dx,) = apply(rule(case.layer), {}, [x], dy, owned=owned, spoil_output=True).dxs
    np.testing.assert_array_equal(dx, np.maximum(dy, 0) * ((x > 0) if rule is GuidedRectifier else 1))


def test_stand_ins_can_be_sent_to_other_processes() -> None:
    model = with_layers(model_of(LENET), {"relu1": GuidedRectifier(LENET.by_name["relu1"].layer)})
    sent = pickle.loads(pickle.dumps(model))
    found = []
    for each in (model, sent):
        with Executor(each, workers=1) as executor:
            result = executor.differentiate(inputs(LENET), target_of(LENET).objective, everything=True)
        found.append(result.input_gradient)
    np.testing.assert_array_equal(*found)


def test_a_stand_in_is_the_layer_but_for_what_it_changes() -> None:
    layer: Layer = LENET.by_name["relu1"].layer
    stand_in = GuidedRectifier(layer)
    assert (stand_in.type, stand_in.rectifies, stand_in.linear) == (layer.type, layer.rectifies, layer.linear)
