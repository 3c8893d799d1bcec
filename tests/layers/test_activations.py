"""Where activation functions are hard: far out, at 0, and at their kinks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cnncli.kernels.special import erf
from cnncli.layers import LAYERS
from tests.layers.harness import Array, Passed, apply

ACTIVATIONS = ["relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "softmax", "softplus"]


def at(kind: str, x: list[float], dtype: Any = np.float64, **options: Any) -> Passed:
    """One sample of these features."""
    values = np.array([x])
    return apply(LAYERS[kind].model_validate(options), {}, [values], np.ones_like(values), dtype=dtype)


def at_inference(kind: str, x: list[Any], dtype: Any, **options: Any) -> Array:
    """Where no backward pass will follow, so that a layer may take a shorter way."""
    return apply(LAYERS[kind].model_validate(options), {}, [np.array([x])], dtype=dtype, keep=False).y


def test_all_but_softmax_work_element_by_element() -> None:
    assert {kind for kind, layer in LAYERS.items() if layer.elementwise} == set(ACTIVATIONS) - {"softmax"}


@pytest.mark.parametrize("kind", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_large_numbers_neither_overflow_nor_warn(kind: str, dtype: type) -> None:
    passed = at(kind, [-1e4, -90.0, 0.0, 90.0, 1e4], dtype)
    assert np.isfinite(passed.y).all()
    assert np.isfinite(passed.dxs[0]).all()


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kind", "options", "values", "slopes"),
    [
        ("relu", {}, (0, INF), (0, 1)),
        ("leaky_relu", {"negative_slope": 0.5}, (-INF, INF), (0.5, 1)),
        ("leaky_relu", {"negative_slope": 0}, (NAN, INF), (0, 1)),
        ("elu", {"alpha": 0.5}, (-0.5, INF), (0, 1)),
        ("gelu", {}, (NAN, INF), (NAN, NAN)),
        ("gelu", {"approximate": "tanh"}, (NAN, INF), (NAN, NAN)),
        ("silu", {}, (NAN, INF), (NAN, NAN)),
        ("sigmoid", {}, (0, 1), (0, 0)),
        ("tanh", {}, (-1, 1), (0, 0)),
        ("softplus", {}, (0, INF), (0, 1)),
        ("softplus", {"beta": 2, "threshold": 1e9}, (0, INF), (0, 1)),
        ("softplus", {"threshold": -3}, (0, INF), (0, 1)),
    ],
)
def test_infinity_and_nan_give_what_they_give_in_pytorch(
    kind: str, options: dict[str, Any], values: tuple[float, float], slopes: tuple[float, float], dtype: Any
) -> None:
    """At -inf, inf and NaN: the limits, but for 0 * inf, which is NaN there too. NaN has no slope worth telling."""
    with np.errstate(invalid="ignore"):
        passed = at(kind, [-INF, INF, NAN], dtype, **options)
        kept_nothing = at_inference(kind, [-INF, INF, NAN], dtype, **options)
    assert passed.dxs[0] is not None
    np.testing.assert_array_equal(passed.y[0], [*values, NAN])
    np.testing.assert_array_equal(passed.dxs[0][0, :2], slopes)
    np.testing.assert_array_equal(kept_nothing, passed.y)


@pytest.mark.parametrize(
    ("x", "values"), [([-INF, 0, 0], [0, 0.5, 0.5]), ([INF, 0, 0], [NAN] * 3), ([NAN, 0, 0], [NAN] * 3)]
)
def test_a_softmax_of_infinity_and_nan_is_what_it_is_in_pytorch(x: list[float], values: list[float]) -> None:
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(at("softmax", x).y[0], values)


@pytest.mark.parametrize("kind", ["relu", "elu"])
def test_far_left_the_complex_step_finds_no_slope(kind: str) -> None:
    y = at_inference(kind, [complex(-INF, 1e-30)], np.complex128)
    assert (y.real.item(), y.imag.item()) == (-1 if kind == "elu" else 0, 0)


@pytest.mark.parametrize(
    ("kind", "options", "slope"),
    [("relu", {}, 0), ("leaky_relu", {"negative_slope": 0.3}, 0.3), ("elu", {"alpha": 0.5}, 0.5)],
)
def test_the_slope_at_zero_is_the_left_one(kind: str, options: dict[str, Any], slope: float) -> None:
    passed = at(kind, [0.0], **options)
    assert passed.y.item() == 0
    assert passed.dxs[0] is not None
    assert passed.dxs[0].item() == slope


def test_the_complex_step_sees_the_same_slope_at_zero() -> None:
    for kind in ("relu", "leaky_relu", "elu"):
        layer = LAYERS[kind]()
        (dx,) = apply(layer, {}, [np.zeros((1, 1))], np.ones((1, 1))).dxs
        y = apply(layer, {}, [np.full((1, 1), 1e-30j)], dtype=np.complex128).y
        assert dx is not None
        assert y.imag.item() / 1e-30 == pytest.approx(dx.item())


def test_sigmoid_keeps_small_probabilities() -> None:
    for dtype, x in ((np.float32, -80.0), (np.float64, -700.0)):
        assert at("sigmoid", [x], dtype).y.item() == pytest.approx(math.exp(x), rel=1e-5)


def test_softmax_sums_to_one_over_the_first_axis() -> None:
    y = apply(LAYERS["softmax"](), {}, [np.random.default_rng(0).normal(size=(2, 5, 3, 3))]).y
    np.testing.assert_allclose(y.sum(axis=1), 1)


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1.5e-15), (np.float32, 3e-7)])
def test_erf(dtype: type, error: float) -> None:
    x = np.concatenate([np.linspace(-8, 8, 4001), [0, -0.0, 1e-30, 40, -40, np.inf, -np.inf]]).astype(dtype)
    expected = np.vectorize(math.erf)(x.astype(np.float64))
    np.testing.assert_allclose(erf(x), expected, rtol=0, atol=error)
    assert erf(x).dtype == dtype
    assert np.isnan(erf(np.array([np.nan])))


def test_the_derivative_of_erf_by_the_complex_step() -> None:
    x = np.linspace(-7, 7, 1001)
    slope = erf(x + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(slope, 2 / math.sqrt(math.pi) * np.exp(-x * x), rtol=0, atol=1e-12)
