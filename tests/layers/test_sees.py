"""Which part of its inputs a layer says that it sees, against what it reacts to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.layers import LAYERS
from cnncli.layers.base import Part, Steps
from cnncli.layers.run import Run
from tests.layers.cases import BATCH, CASES, Case
from tests.layers.harness import apply

Array = NDArray[Any]

AT_INFERENCE = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if not case.training], ids=lambda case: case.name
)


def mask(part: Part, shape: tuple[int, ...]) -> Array:
    """Where the part lies, without what lies in the padding."""
    found = np.zeros(shape, bool)
    kept = [[i for i in axis if 0 <= i < size] for axis, size in zip(part, shape, strict=True)]
    found[np.ix_(*kept)] = True
    return found


def by_hand(case: Case, place: tuple[int, ...], sample: int) -> Steps:
    xs = tuple(np.moveaxis(x, 0, -1) for x in case.inputs())
    return case.layer.by_hand(case.tensors(), xs, (*place, sample), Run(np.dtype(np.float64), training=case.training))


@AT_INFERENCE
def test_every_element_sees_what_its_layer_says_and_nothing_else(case: Case) -> None:
    tensors = {key: np.asarray(np.abs(array) + 0.1) for key, array in case.tensors().items()}  # no coefficient is 0
    for place in np.ndindex(case.layer.infer(case.shapes)):
        dy = np.zeros((BATCH, *case.layer.infer(case.shapes)))
        dy[(0, *place)] = 1
        dxs = apply(case.layer, tensors, case.inputs(), dy).dxs
        parts = case.layer.sees(tuple(range(i, i + 1) for i in place), case.shapes)
        assert len(parts) == len(case.shapes)
        for part, dx, shape in zip(parts, dxs, case.shapes, strict=True):
            assert dx is not None
            reacts, seen = dx[0] != 0, mask(part, shape)
            assert not (reacts & ~seen).any()
            if case.layer.linear:
                np.testing.assert_array_equal(reacts, seen)


@AT_INFERENCE
def test_a_part_sees_what_its_elements_see(case: Case) -> None:
    shape = case.layer.infer(case.shapes)
    rng = np.random.default_rng(0)
    for _ in range(20):
        ends = [sorted(rng.integers(0, size, 2).tolist()) for size in shape]
        part = tuple(range(first, last + 1) for first, last in ends)
        whole = case.layer.sees(part, case.shapes)
        for place in np.ndindex(*map(len, part)):
            single = tuple(range(axis[i], axis[i] + 1) for axis, i in zip(part, place, strict=True))
            for one, all_, size in zip(case.layer.sees(single, case.shapes), whole, case.shapes, strict=True):
                assert not (mask(one, size) & ~mask(all_, size)).any()


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_can_be_explained(name: str) -> None:
    """It is linear, or picks a maximum, or tells how it is worked out by hand."""
    case = next(case for case in CASES.values() if case.layer.type == name)
    if case.layer.linear or case.layer.picks_maximum:
        return
    assert by_hand(case, (0,) * len(case.shapes[0]), 0)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_worked_out_by_hand_is_what_the_layer_computes(case: Case) -> None:
    if not by_hand(case, (0,) * len(case.shapes[0]), 0):
        assert case.layer.linear or case.layer.picks_maximum
        return
    expected = apply(case.layer, case.tensors(), case.inputs(), training=case.training).y
    for sample in range(BATCH):
        for place in np.ndindex(expected.shape[1:]):
            steps = by_hand(case, place, sample)
            assert steps[-1][1] == pytest.approx(expected[(sample, *place)], rel=1e-12, abs=1e-14)
            assert all(text for text, _ in steps)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "softplus", "sigmoid", "tanh", "silu", "gelu"])
@pytest.mark.parametrize("x", [-800.0, -30.0, -1e-9, 0.0, 1e-9, 30.0, 800.0])
def test_far_from_0_too(name: str, x: float) -> None:
    layer = LAYERS[name]()
    expected = apply(layer, {}, [np.array([[x]])]).y[0, 0]
    with np.errstate(over="ignore"):
        (*_, (_, found)) = layer.worked_out(np.float64(x))  # type: ignore[attr-defined]
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15 * max(1, abs(x)))
