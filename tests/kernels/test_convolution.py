"""Every way of convolving against the plain one: a sum over the taps of what each sees."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnncli.kernels import columns, convolution
from cnncli.kernels.convolution import convolve, input_gradient, weight_gradient
from cnncli.kernels.geometry import Axis, Geometry
from tests.layers.harness import rubbish

Array = NDArray[Any]


def plain(x: Array, weight: Array, dy: Array, geometry: Geometry, groups: int) -> tuple[Array, Array, Array]:
    """y, dweight and dx."""
    (height, width), (oh, ow) = (geometry.height, geometry.width), geometry.out
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    seen = np.zeros(
        (len(x), *(a.before + max(a.size, a.out * a.stride + a.extent) for a in (height, width)), x.shape[-1])
    )
    seen = seen.astype(x.dtype)
    image = (slice(None), slice(height.before, height.before + height.size))
    image = (*image, slice(width.before, width.before + width.size))
    seen[image] = x
    seen = seen.reshape(groups, -1, *seen.shape[1:])
    dseen, dkernels = np.zeros_like(seen), np.zeros_like(kernels)
    y = np.zeros((groups, kernels.shape[1], oh, ow, x.shape[-1]), x.dtype)
    dy = dy.reshape(y.shape)
    for i, j in np.ndindex(geometry.kernel):
        top, left = i * height.dilation, j * width.dilation
        rows = slice(top, top + (oh - 1) * height.stride + 1, height.stride)
        tap = (slice(None), slice(None), rows, slice(left, left + (ow - 1) * width.stride + 1, width.stride))
        y += np.einsum("goc,gchwn->gohwn", kernels[..., i, j], seen[tap])
        dkernels[..., i, j] = np.einsum("gohwn,gchwn->goc", dy, seen[tap])
        dseen[tap] += np.einsum("goc,gohwn->gchwn", kernels[..., i, j], dy)
    dx = dseen.reshape(len(x), *dseen.shape[2:])[image]
    return y.reshape(len(weight), oh, ow, -1), dkernels.reshape(weight.shape), dx


def randoms(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    real, imaginary = rng.normal(size=(2, *shape))
    return (real + 1j * imaginary if dtype == "complex128" else real).astype(dtype)


def check(channels: int, outputs: int, groups: int, geometry: Geometry, n: int, dtype: str, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    x = randoms(rng, (groups * channels, geometry.height.size, geometry.width.size, n), dtype)
    weight = randoms(rng, (groups * outputs, channels, *geometry.kernel), dtype)
    bias = randoms(rng, (groups * outputs,), dtype)
    dy = randoms(rng, (groups * outputs, *geometry.out, n), dtype)
    y, dweight, dx = plain(x, weight, dy, geometry, groups)
    found = {
        "y": (convolve(x, weight, geometry, groups, rubbish, bias), y + bias[:, None, None, None]),
        "dweight": (weight_gradient(x, dy, weight, geometry, groups, rubbish), dweight),
        "dx": (input_gradient(dy, weight, geometry, len(x), groups, rubbish), dx),
    }
    for name, (ours, expected) in found.items():
        assert ours.dtype == dtype
        allowed = 1e-5 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(ours, expected, rtol=0, atol=allowed * (1 + np.abs(expected).max()), err_msg=name)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    size, kernel, stride, dilation = (draw(st.integers(1, most)) for most in (20, 5, 4, 4))
    axis = Axis(size, kernel, stride, dilation, draw(st.integers(0, 6)), draw(st.integers(0, 6)))
    assume(axis.out >= 1)
    return axis


@settings(deadline=None, max_examples=300)
@given(
    st.builds(Geometry, axes(), axes()),
    st.sampled_from([1, 2, 4, 9]),
    st.sampled_from([1, 2, 4, 9]),
    st.sampled_from([1, 2, 6]),
    st.integers(1, 40),
    st.sampled_from(["float32", "float64", "complex128"]),
    st.fixed_dictionaries(
        {
            (columns, "BAND_BYTES"): st.sampled_from([1, 20_000, columns.BAND_BYTES]),
            (columns, "CALL_BYTES"): st.sampled_from([0, columns.CALL_BYTES]),
            (convolution, "FEW"): st.sampled_from([0, convolution.FEW]),
        }
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_geometry(
    geometry: Geometry,
    channels: int,
    outputs: int,
    groups: int,
    n: int,
    dtype: str,
    limits: dict[tuple[ModuleType, str], int],
    seed: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in limits.items():
            patch.setattr(module, name, value)
        check(channels, outputs, groups, geometry, n, dtype, seed)


@pytest.mark.parametrize("n", [1, 8, 16, 19])
@pytest.mark.parametrize(
    ("channels", "outputs", "size", "kernel", "stride"),
    [
        (1, 32, 28, 3, 1),
        (6, 16, 14, 5, 1),
        (16, 32, 28, 3, 2),
        (64, 64, 7, 3, 1),
        (32, 20, 9, 1, 2),
        (120, 24, 8, 3, 1),
    ],
)
def test_layers_as_networks_have_them(channels: int, outputs: int, size: int, kernel: int, stride: int, n: int) -> None:
    axis = Axis(size, kernel, stride, 1, kernel // 2, kernel // 2)
    check(channels, outputs, 1, Geometry(axis, axis), n, "float32")


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_layers_as_networks_have_them(stride: int) -> None:
    axis = Axis(14, 3, stride, 1, 1, 1)
    check(1, 1, 32, Geometry(axis, axis), 16, "float32")


@given(axes())
def test_phases_share_out_what_every_output_sees(axis: Axis) -> None:
    sees = {
        (o, o * axis.stride + tap * axis.dilation - axis.before): tap
        for o in range(axis.out)
        for tap in range(axis.kernel)
    }
    found = {}
    for first in range(min(axis.stride, axis.size)):
        taps, phase = axis.phase(first)
        chosen = range(axis.kernel)[taps]
        assert not chosen or phase.out == len(range(first, axis.size, axis.stride))
        for index, tap in enumerate(chosen):
            pixels, outputs = phase.inside(index, 0, phase.out)
            for pixel, output in zip(range(phase.out)[pixels], range(axis.out)[outputs], strict=True):
                found[output, first + pixel * axis.stride] = tap
    assert found == {(output, pixel): tap for (output, pixel), tap in sees.items() if 0 <= pixel < axis.size}
