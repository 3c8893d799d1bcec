from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.errors import DataError
from cnncli.layers.normalization import BatchNorm
from tests.layers.harness import apply


def fresh(layer: BatchNorm, channels: int) -> dict[str, np.ndarray]:
    shapes = ((channels,),)
    return {**layer.init(shapes, np.random.default_rng(0)), **layer.init_buffers(shapes)}


def test_it_starts_as_the_identity_of_normalised_data() -> None:
    layer = BatchNorm()
    x = np.random.default_rng(0).normal(3, 2, (50, 4, 5, 5))
    y = apply(layer, fresh(layer, 4), [x], training=True).y
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 9), st.integers(1, 9), st.floats(0, 1e3))
def test_the_cut_into_micro_batches_does_not_show(batch: int, cuts: int, mean: float) -> None:
    layer = BatchNorm()
    rng = np.random.default_rng(batch)
    x, dy = rng.normal(mean, 1, (batch, 2, 3)), rng.normal(size=(batch, 2, 3))
    whole = apply(layer, fresh(layer, 2), [x], dy, training=True)
    cut = apply(layer, fresh(layer, 2), [x], dy, training=True, cuts=min(cuts, batch))
    np.testing.assert_allclose(cut.y, whole.y, atol=1e-9)
    np.testing.assert_allclose(cut.dxs[0], whole.dxs[0], atol=1e-8)
    for key in ("weight", "bias"):
        np.testing.assert_allclose(cut.gradients[key], whole.gradients[key], atol=1e-9)
    for key in whole.buffers:
        np.testing.assert_allclose(cut.buffers[key], whole.buffers[key], rtol=1e-9)


def test_single_precision_keeps_a_variance_that_is_small_beside_the_mean() -> None:
    layer = BatchNorm()
    x = np.random.default_rng(0).normal(300, 1, (64, 2, 8, 8)).astype(np.float32)
    passed = apply(layer, fresh(layer, 2), [x], training=True, dtype=np.float32, cuts=4)
    exact = x.astype(np.float64).var(axis=(0, 2, 3), ddof=1)
    np.testing.assert_allclose((passed.buffers["running_var"] - 0.9) / 0.1, exact, rtol=1e-5)


def test_a_constant_channel_gives_the_bias() -> None:
    layer = BatchNorm(bias=(0.5,), weight=(2.0,))
    passed = apply(layer, fresh(layer, 1), [np.full((4, 1), 1e4)], np.ones((4, 1)), training=True)
    np.testing.assert_array_equal(passed.y, 0.5)
    np.testing.assert_allclose(passed.dxs[0], 0)


def test_one_number_a_channel_has_no_variance() -> None:
    layer = BatchNorm()
    with pytest.raises(DataError) as caught:
        apply(layer, fresh(layer, 3), [np.ones((1, 3))], training=True)
    assert str(caught.value) == (
        "batch_norm in training needs more than one number a channel, but a batch of 1 sample of shape (3,) has no "
        "more; take more samples, or a larger batch size"
    )
    apply(layer, fresh(layer, 3), [np.ones((1, 3))], training=False)
    passed = apply(layer, fresh(layer, 3), [np.ones((1, 3, 1, 2))], training=True)
    np.testing.assert_array_equal(passed.y, 0)
    passed = apply(layer, fresh(layer, 3), [np.ones((2, 3))], training=True, cuts=2)  # one sample a micro-batch
    np.testing.assert_allclose(passed.buffers["running_var"], 0.9)


def test_batches_are_counted() -> None:
    layer = BatchNorm(momentum=0.25)
    tensors = fresh(layer, 1)
    for _ in range(3):
        tensors |= apply(layer, tensors, [np.array([[1.0], [3.0]])], training=True).buffers
    assert tensors["num_batches_tracked"] == 3
    assert tensors["running_mean"] == pytest.approx(2 * (1 - 0.75**3))
    assert tensors["running_var"] == pytest.approx(0.75**3 + 2 * (1 - 0.75**3))
