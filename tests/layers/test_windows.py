"""Convolution and pooling with any options, against loops written out and against PyTorch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnncli.errors import ShapeError
from cnncli.layers import LAYERS
from cnncli.layers.base import Shape
from cnncli.layers.windows import Windowed
from tests.layers import slow
from tests.layers.harness import apply

Array = NDArray[Any]

size = st.integers(1, 4)
pair = st.tuples(size, size)
image = st.tuples(st.integers(1, 2), st.integers(1, 7), st.integers(1, 7))
quick = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def windowed(draw: st.DrawFn, kind: str) -> tuple[Windowed, Shape]:
    """A layer of that kind and an image that it takes."""
    kernel = draw(pair)
    within = [k - 1 if kind == "conv2d" else k // 2 for k in kernel]
    options: dict[str, Any] = {"kernel_size": kernel, "stride": draw(pair)}
    padding = st.tuples(*(st.integers(0, most) for most in within))
    options["padding"] = draw(padding | st.sampled_from(["same", "valid"]))
    channels, *pixels = draw(image)
    if kind == "conv2d":
        groups = draw(st.integers(1, 2))
        channels *= groups
        options |= {"out_channels": groups * draw(st.integers(1, 2)), "groups": groups, "dilation": draw(pair)}
    if kind == "avg_pool2d":
        options["count_include_pad"] = draw(st.booleans())
    layer = LAYERS[kind].model_validate(options)
    shape = (channels, *pixels)
    try:
        layer.infer((shape,))
    except ShapeError:
        assume(False)
    assert isinstance(layer, Windowed)
    return layer, shape


def randoms(layer: Windowed, shape: Shape, seed: int) -> tuple[dict[str, Array], Array, Array]:
    """Parameters, x and dy for two samples; x has many ties."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (2, *shape)).astype(np.float64)
    return layer.init((shape,), rng), x, rng.normal(size=(2, *layer.infer((shape,))))


seeds = st.integers(0, 2**32 - 1)


@quick
@given(windowed("conv2d"), seeds)
def test_convolution_is_the_written_out_one(chosen: tuple[Any, Shape], seed: int) -> None:
    layer, shape = chosen
    params, x, dy = randoms(layer, shape, seed)
    passed = apply(layer, params, [x], dy)
    geometry, weight = layer.geometry(shape), params["weight"]
    for sample in range(2):
        expected = slow.convolve(x[sample], weight, geometry, layer.groups) + params["bias"][:, None, None]
        np.testing.assert_allclose(passed.y[sample], expected, atol=1e-12)
    pairs = [slow.convolve_backward(x[k], weight, dy[k], geometry, layer.groups) for k in range(2)]
    np.testing.assert_allclose(passed.dxs[0], [dx for dx, _ in pairs], atol=1e-12)
    np.testing.assert_allclose(passed.gradients["weight"], sum(dw for _, dw in pairs), atol=1e-11)
    np.testing.assert_allclose(passed.gradients["bias"], dy.sum(axis=(0, 2, 3)), atol=1e-12)


@quick
@given(windowed("max_pool2d"), seeds)
def test_max_pooling_is_the_written_out_one(chosen: tuple[Windowed, Shape], seed: int) -> None:
    layer, shape = chosen
    _, x, dy = randoms(layer, shape, seed)
    passed = apply(layer, {}, [x], dy)
    pairs = [slow.max_pool(x[k], dy[k], layer.geometry(shape)) for k in range(2)]
    np.testing.assert_array_equal(passed.y, [y for y, _ in pairs])
    for dtype in (np.float64, np.complex128):
        np.testing.assert_array_equal(apply(layer, {}, [x], keep=False, dtype=dtype).y, passed.y)
    np.testing.assert_allclose(passed.dxs[0], [dx for _, dx in pairs], atol=1e-14)


@quick
@given(windowed("avg_pool2d"), seeds)
def test_average_pooling_is_the_written_out_one(chosen: tuple[Any, Shape], seed: int) -> None:
    layer, shape = chosen
    _, x, dy = randoms(layer, shape, seed)
    passed = apply(layer, {}, [x], dy)
    pairs = [slow.avg_pool(x[k], dy[k], layer.geometry(shape), layer.count_include_pad) for k in range(2)]
    np.testing.assert_allclose(passed.y, [y for y, _ in pairs], atol=1e-14)
    np.testing.assert_allclose(passed.dxs[0], [dx for _, dx in pairs], atol=1e-14)


@quick
@given(st.sampled_from(["conv2d", "max_pool2d", "avg_pool2d"]).flatmap(windowed), seeds)
def test_all_are_pytorchs(torch_layers: ModuleType, chosen: tuple[Any, Shape], seed: int) -> None:
    layer, shape = chosen
    # Of the uneven padding of `same` PyTorch's average pooling only knows that it was added.
    assume(getattr(layer, "count_include_pad", True) or layer.padding != "same")
    params, x, dy = randoms(layer, shape, seed)
    passed = apply(layer, params, [x], dy)
    theirs = torch_layers.torch_pass(layer, (shape,), params, (x,), dy)
    mine = {"y": passed.y, "dx0": passed.dxs[0], **{f"gradient.{key}": a for key, a in passed.gradients.items()}}
    for key, expected in theirs.items():
        np.testing.assert_allclose(mine[key], expected, atol=1e-11, err_msg=key)


def first_wins(kernel: int, grid: list[list[float]]) -> list[list[float]]:
    layer = LAYERS["max_pool2d"].model_validate({"kernel_size": kernel})
    x = np.array(grid, np.float64)[None, None]
    (dx,) = apply(layer, {}, [x], np.ones((1, *layer.infer((x.shape[1:],))))).dxs
    assert dx is not None
    chosen: list[list[float]] = dx[0, 0].tolist()
    return chosen


def test_of_equal_values_the_first_in_the_window_takes_the_gradient() -> None:
    assert first_wins(2, [[0, 0], [0, 0]]) == [[1, 0], [0, 0]]
    assert first_wins(2, [[0, 5], [5, 0]]) == [[0, 1], [0, 0]]
    assert first_wins(2, [[0, 1], [1, 1]]) == [[0, 1], [0, 0]]
    assert first_wins(2, [[-1, -1], [-2, -1]]) == [[1, 0], [0, 0]]
    assert first_wins(3, [[0, 0, 1], [0, 1, 0], [1, 0, 0]]) == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_the_padding_never_wins() -> None:
    layer = LAYERS["max_pool2d"].model_validate({"kernel_size": 3, "stride": 1, "padding": 1})
    x = np.full((1, 1, 3, 3), -7.0)
    passed = apply(layer, {}, [x], np.ones((1, 1, 3, 3)))
    np.testing.assert_array_equal(passed.y, x)
    assert passed.dxs[0] is not None
    assert passed.dxs[0].sum() == 9


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_max_pooling_shows_nan(place: tuple[int, int]) -> None:
    x = np.zeros((1, 1, 2, 2))
    x[0, 0][place] = np.nan
    layer = LAYERS["max_pool2d"].model_validate({"kernel_size": 2})
    for keep in (True, False):
        assert np.isnan(apply(layer, {}, [x], keep=keep).y).all()


def test_windows_of_more_than_256_pixels() -> None:
    layer = LAYERS["max_pool2d"].model_validate({"kernel_size": [20, 16]})
    x = np.arange(320.0).reshape(1, 1, 20, 16)
    passed = apply(layer, {}, [x], np.ones((1, 1, 1, 1)))
    assert passed.y.item() == 319
    assert passed.dxs[0] is not None
    assert passed.dxs[0][0, 0, -1, -1] == 1
