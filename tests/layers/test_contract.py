"""What holds for every layer; a new one needs an entry in cases.py and nothing here."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.layers import LAYERS
from cnncli.layers.run import Run
from tests.layers.cases import BATCH, CASES, Case, numbers
from tests.layers.harness import Passed, apply

Array = NDArray[Any]

EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
COMPARABLE = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if not case.is_random], ids=lambda case: case.name
)


def run(case: Case, **options: Any) -> Passed:
    """Forward and back with the case's numbers."""
    return apply(case.layer, case.tensors(), case.inputs(), case.upstream(), training=case.training, **options)


def results(passed: Passed, case: Case) -> dict[str, Array]:
    """Under the names that torch_values has."""
    values = {"y": passed.y} | {f"dx{i}": dx for i, dx in enumerate(passed.dxs) if dx is not None}
    values |= {f"gradient.{key}": array for key, array in passed.gradients.items()}
    return values | ({f"buffer.{key}": array for key, array in passed.buffers.items()} if case.training else {})


def assert_close(mine: dict[str, Array], theirs: dict[str, Array], tolerance: float) -> None:
    assert list(mine) == list(theirs)
    for key, expected in theirs.items():
        assert mine[key].shape == expected.shape, key
        np.testing.assert_allclose(
            mine[key], expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()), err_msg=key
        )


def test_every_layer_has_a_case() -> None:
    assert {case.layer.type for case in CASES.values()} == set(LAYERS)
    assert all(kind.type == name for name, kind in LAYERS.items())


@pytest.mark.parametrize("name", LAYERS)
def test_every_option_is_described(name: str) -> None:
    for option, field in LAYERS[name].model_fields.items():
        assert field.description, option
    assert LAYERS[name].__doc__


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_shapes_and_dtypes_are_as_inferred(case: Case, dtype: type) -> None:
    passed = run(case, dtype=dtype)
    assert passed.y.shape == (BATCH, *case.layer.infer(case.shapes))
    assert passed.y.dtype == dtype
    for dx, shape in zip(passed.dxs, case.shapes, strict=True):
        assert dx is not None
        assert (dx.shape, dx.dtype) == ((BATCH, *shape), dtype)
    parameters = case.layer.init(case.shapes, np.random.default_rng(0))
    assert {key: array.shape for key, array in passed.gradients.items()} == {
        key: array.shape for key, array in parameters.items()
    }
    assert all(array.dtype == np.float64 for array in parameters.values())
    for array in passed.gradients.values():  # sums over the batch may be more precise
        assert array.dtype in (dtype, np.promote_types(dtype, np.float64))
    assert set(passed.buffers) == (set(case.layer.init_buffers(case.shapes)) if case.training else set())


@COMPARABLE
def test_micro_batches_make_the_whole(case: Case) -> None:
    assert_close(results(run(case, cuts=2), case), results(run(case), case), 1e-13)


@EVERY
def test_in_place_gives_the_same_bits(case: Case) -> None:
    """Where the layer may write over its input and over dy; elsewhere they are read-only, and any write an error."""
    for key, array in results(run(case, owned=True), case).items():
        np.testing.assert_array_equal(array, results(run(case), case)[key], err_msg=key)


@EVERY
def test_only_what_is_declared_has_two_names(case: Case) -> None:
    """Arrays that are nobody else's may be written over by whoever comes next."""
    layer = case.layer
    xs = tuple(np.ascontiguousarray(np.moveaxis(x, 0, -1)) for x in case.inputs())
    dy = np.ascontiguousarray(np.moveaxis(case.upstream(), 0, -1))
    run = Run(dy.dtype, case.training, BATCH, needs=(True,) * len(xs), owned=(False,) * len(xs))
    coupled = layer.couples_batch and case.training
    run.totals = layer.forward_sums(case.tensors(), xs, run) if coupled else None
    y, cache = layer.forward(case.tensors(), xs, run)
    run.totals = layer.backward_sums(case.tensors(), cache, dy, run) if coupled else None
    dxs, _ = layer.backward(case.tensors(), cache, dy, run)
    assert layer.aliases_input or not any(np.shares_memory(y, x) for x in xs)
    assert layer.aliases_dy or not any(np.shares_memory(dx, dy) for dx in dxs if dx is not None)


@EVERY
def test_nothing_is_kept_where_no_backward_pass_follows(case: Case) -> None:
    for owned in (False, True):
        passed = apply(case.layer, case.tensors(), case.inputs(), training=case.training, keep=False, owned=owned)
        np.testing.assert_array_equal(passed.y, run(case).y)
        (cache,), (inputs,) = passed.caches, passed.lanes
        kept = [part for part in _parts(cache) if isinstance(part, np.ndarray)]
        assert all(any(part is x for x in inputs) for part in kept), "more than the input, which costs nothing"


def _parts(cache: Any) -> tuple[Any, ...]:
    return cache if isinstance(cache, tuple) else (cache,)


@EVERY
def test_unneeded_input_gradients_are_left_out(case: Case) -> None:
    passed = run(case, needs=False)
    assert passed.dxs == (None,) * len(case.shapes)
    for key, array in passed.gradients.items():
        np.testing.assert_array_equal(array, run(case).gradients[key])


@COMPARABLE
def test_the_output_stays_as_it_is_where_the_layer_says_that_it_needs_it(case: Case) -> None:
    """Unless `keeps_output`, whoever comes next may write over the output before the backward pass."""
    if case.layer.keeps_output or case.layer.aliases_input:
        return
    for owned in (False, True):
        passed, spoilt = run(case), run(case, spoil_output=True, owned=owned)
        for mine, expected in zip(spoilt.dxs, passed.dxs, strict=True):
            np.testing.assert_array_equal(mine, expected)
        for key, expected in passed.gradients.items():
            np.testing.assert_array_equal(spoilt.gradients[key], expected)


@EVERY
def test_gradients_are_the_complex_steps(case: Case) -> None:
    """Im f(x + ih)/h for every number of every input and parameter (Martins, Sturdza and Alonso 2003)."""
    passed, upstream, step = run(case), case.upstream(), 1e-30
    inputs, tensors = list(case.inputs()), case.tensors()

    def slope(inputs: list[Array], tensors: dict[str, Array]) -> float:
        y = apply(case.layer, tensors, inputs, training=case.training, dtype=np.complex128).y
        return float((upstream * y.imag).sum() / step)

    for number, dx in enumerate(passed.dxs):
        for index in np.ndindex(inputs[number].shape):
            moved = list(inputs)
            moved[number] = _nudged(inputs[number], index, step)
            assert dx is not None
            assert slope(moved, tensors) == pytest.approx(dx[index], rel=1e-9, abs=1e-11)
    for key, gradient in passed.gradients.items():
        for index in np.ndindex(gradient.shape):
            moved_tensors = {**tensors, key: _nudged(tensors[key], index, step)}
            assert slope(inputs, moved_tensors) == pytest.approx(gradient[index], rel=1e-9, abs=1e-11)


def _nudged(array: Array, index: tuple[int, ...], step: float) -> Array:
    moved = array.astype(np.complex128)
    moved[index] += 1j * step
    return moved


@COMPARABLE
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 2e-7), (np.float32, 3e-6)])
def test_values_are_the_stored_ones_of_pytorch(case: Case, dtype: type, tolerance: float) -> None:
    with np.load(Path(__file__).with_name("reference.npz")) as file:
        stored = file[case.name]
    mine = np.concatenate([array.ravel() for array in results(run(case, dtype=dtype), case).values()])
    np.testing.assert_allclose(mine, stored, rtol=0, atol=tolerance * max(1, np.abs(stored).max()))


@COMPARABLE
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 3e-6)])
def test_values_are_pytorchs(case: Case, dtype: str, tolerance: float, torch_layers: ModuleType) -> None:
    theirs = torch_layers.torch_values(case, getattr(torch_layers.torch, dtype))
    assert_close(results(run(case, dtype=dtype), case), theirs, tolerance)


@EVERY
def test_parameters_have_pytorchs_names_and_shapes(case: Case, torch_layers: ModuleType) -> None:
    theirs = torch_layers.module_of(case.layer, case.shapes).state_dict()
    assert {key: array.shape for key, array in case.tensors().items()} == {
        key: tuple(tensor.shape) for key, tensor in theirs.items()
    }
    assert list(case.tensors()) == list(theirs)


@EVERY
def test_branches_are_those_of_the_real_part_and_hold_under_tiny_changes(case: Case) -> None:
    def branches(inputs: tuple[Array, ...], dtype: type) -> Array | None:
        (cache,) = apply(case.layer, case.tensors(), inputs, training=case.training, dtype=dtype).caches
        return case.layer.branches(case.tensors(), cache)

    here = branches(case.inputs(), np.float64)
    moved = branches(tuple(x + 1e-9 for x in case.inputs()), np.float64)
    complex_ = branches(tuple(x + 1e-9j for x in case.inputs()), np.complex128)
    if here is None:
        assert moved is None
        assert complex_ is None
    else:
        assert np.array_equal(here, moved)
        assert np.array_equal(here, complex_)
        assert here.shape[-1] == BATCH


@EVERY
def test_options_survive_a_round_trip(case: Case) -> None:
    again = LAYERS[case.layer.type].model_validate(case.layer.model_dump(mode="json", by_alias=True))
    assert again == case.layer


@EVERY
def test_macs_and_window_are_plain_numbers(case: Case) -> None:
    assert case.layer.macs(case.shapes, case.layer.infer(case.shapes)) >= 0
    window = case.layer.window()
    assert window is None or np.shape(window) == (2, 2)


def test_numbers_have_no_ties() -> None:
    for case in CASES.values():
        for x in case.inputs():
            assert len(np.unique(x)) == x.size
            assert np.abs(x).min() > 1e-6
    assert not np.array_equal(numbers((4,), 1), numbers((4,), 2))
