"""Initialisers: their spread, what they promise, and how a layer uses them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter

from cnncli.errors import ShapeError
from cnncli.layers import LAYERS
from cnncli.layers.initializers import INITIALIZERS, AnyInitializer, Initializer
from cnncli.layers.parameters import Literals, shape_of

Array = NDArray[Any]

SHAPE, FAN_IN, FAN_OUT = (60, 20, 3, 3), 180, 540

STD: dict[str, tuple[dict[str, Any], float]] = {
    "he_uniform": ({}, math.sqrt(2 / FAN_IN)),
    "he_normal": ({}, math.sqrt(2 / FAN_IN)),
    "xavier_uniform": ({}, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "xavier_normal": ({}, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "lecun_uniform": ({}, math.sqrt(1 / FAN_IN)),
    "lecun_normal": ({}, math.sqrt(1 / FAN_IN)),
    "pytorch_default": ({}, 1 / math.sqrt(3 * FAN_IN)),
    "orthogonal": ({"gain": 2.0}, 2 / math.sqrt(FAN_IN)),
    "constant": ({"value": 0.1}, 0),
    "zeros": ({}, 0),
    "ones": ({}, 0),
    "normal": ({"mean": 1.0, "std": 0.3}, 0.3),
    "uniform": ({"a": -1.0, "b": 3.0}, 4 / math.sqrt(12)),
}
MEAN = {"constant": 0.1, "ones": 1, "normal": 1, "uniform": 1}


def draw(name: str, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> Array:
    return INITIALIZERS[name].model_validate(STD[name][0]).sample(shape, FAN_IN, FAN_OUT, np.random.default_rng(seed))


def test_every_initialiser_is_in_the_table() -> None:
    assert set(STD) == set(INITIALIZERS)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_spread_and_mean(name: str) -> None:
    array = draw(name)
    assert (array.shape, array.dtype) == (SHAPE, np.float64)
    assert array.std() == pytest.approx(STD[name][1], rel=0.02, abs=1e-12)
    assert array.mean() == pytest.approx(MEAN.get(name, 0), abs=0.05)


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if "uniform" in name or name == "pytorch_default"])
def test_uniform_ones_have_a_bound(name: str) -> None:
    array = draw(name) - MEAN.get(name, 0)
    bound = math.sqrt(3) * STD[name][1]
    assert 0.99 * bound < np.abs(array).max() <= bound


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_generator_decides_all(name: str) -> None:
    np.testing.assert_array_equal(draw(name), draw(name))
    assert np.array_equal(draw(name, seed=1), draw(name)) == (STD[name][1] == 0)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (3, 2, 2, 2), (20, 2, 3, 1)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    matrix = draw("orthogonal", shape).reshape(shape[0], -1) / 2
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-12)


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name != "constant"])
def test_a_bare_word_is_the_initialiser_with_its_defaults(name: str) -> None:
    adapter: TypeAdapter[Initializer] = TypeAdapter(AnyInitializer)
    assert adapter.validate_python(name) == INITIALIZERS[name]() == adapter.validate_python({"type": name})


def test_the_schema_offers_every_bare_word_and_every_object() -> None:
    schema = TypeAdapter(AnyInitializer).json_schema()
    words = {word for option in schema["anyOf"] for word in option.get("enum", [])}
    assert words == set(INITIALIZERS) - {"constant"}
    assert set(schema["$defs"]) == {kind.__name__ for kind in INITIALIZERS.values()}


@pytest.mark.parametrize("name", [name for name, kind in INITIALIZERS.items() if not kind.needs_matrix])
def test_any_parameter_may_start_so(name: str) -> None:
    spec = {"type": name, **STD[name][0]}
    for kind, options in (("linear", {"out_features": 5}), ("batch_norm", {})):
        layer = LAYERS[kind].model_validate({**options, "init": {"weight": spec, "bias": spec}})
        params = layer.init(((5,),), np.random.default_rng(0))
        assert all(np.isfinite(array).all() for array in params.values())


def started(kind: str, options: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Array]:
    return LAYERS[kind].model_validate(options).init((shape,), np.random.default_rng(0))


def test_defaults() -> None:
    conv = started("conv2d", {"out_channels": 64, "kernel_size": 3}, (16, 9, 9))
    assert np.abs(conv["weight"]).max() == pytest.approx(math.sqrt(6 / (16 * 9)), rel=0.01)
    assert not conv["bias"].any()
    norm = started("batch_norm", {}, (4, 3, 3))
    np.testing.assert_array_equal(norm["weight"], 1)
    np.testing.assert_array_equal(norm["bias"], 0)


def test_fans_of_a_convolution_count_the_group_and_the_kernel() -> None:
    options = {"out_channels": 400, "kernel_size": [5, 3], "groups": 4}
    weight = started("conv2d", {**options, "init": {"weight": "he_normal"}}, (40, 9, 9))["weight"]
    assert weight.std() == pytest.approx(math.sqrt(2 / (10 * 15)), rel=0.02)
    weight = started("conv2d", {**options, "init": {"weight": "xavier_normal"}}, (40, 9, 9))["weight"]
    assert weight.std() == pytest.approx(math.sqrt(2 / (10 * 15 + 100 * 15)), rel=0.02)


def test_numbers_as_written() -> None:
    kernel = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    params = started("conv2d", {"out_channels": 1, "kernel_size": 3, "weight": kernel, "bias": False}, (1, 5, 5))
    assert set(params) == {"weight"}
    np.testing.assert_array_equal(params["weight"], [[kernel]])
    params = started("linear", {"out_features": 2, "weight": [[1, 2], [3, 4]], "bias": [0.5, 0]}, (2,))
    np.testing.assert_array_equal(params["weight"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(params["bias"], [0.5, 0])


@pytest.mark.parametrize("weight", [[[1, 2], [3, 4]], [[[1, 2], [3, 4]]], [[[[1, 2], [3, 4]]]]])
def test_leading_ones_may_be_left_out(weight: list[Any]) -> None:
    options = {"out_channels": 1, "kernel_size": 2, "weight": weight}
    assert started("conv2d", options, (1, 4, 4))["weight"].shape == (1, 1, 2, 2)


def test_other_axes_may_not() -> None:
    layer = LAYERS["conv2d"].model_validate({"out_channels": 2, "kernel_size": 1, "weight": [1, 2]})
    with pytest.raises(ShapeError, match=r"written with shape \(2,\), but must have shape \(2, 1, 1, 1\)"):
        layer.infer(((1, 4, 4),))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_nested_lists_become_nested_tuples(shape: list[int]) -> None:
    array = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    literals = TypeAdapter(Literals).validate_python(array.tolist())
    assert shape_of(literals) == tuple(shape)
    np.testing.assert_array_equal(np.array(literals), array)
    hash(literals)


def test_a_list_that_contains_itself_is_too_deep() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="more than 4 deep"):
        TypeAdapter(Literals).validate_python(endless)
