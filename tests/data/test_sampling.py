from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.data import sequential_batches, shuffled_batches
from cnncli.data.batches import batch_count
from cnncli.data.normalization import measure
from cnncli.data.sampling import apportion, draw

sizes = st.lists(st.integers(1, 50), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(sizes=sizes, data=st.data(), spare=st.booleans())
def test_apportion_is_proportional_and_exact(sizes: list[int], data: st.DataObject, spare: bool) -> None:
    total = data.draw(st.integers(0, sum(sizes)))
    taken = apportion(total, sizes, spare=spare)
    assert sum(taken) == total
    assert all(0 <= part <= size for part, size in zip(taken, sizes, strict=True))
    if spare and total <= sum(sizes) - len(sizes):
        assert all(part < size for part, size in zip(taken, sizes, strict=True))
    if not spare:
        assert all(abs(part - total * size / sum(sizes)) < 1 for part, size in zip(taken, sizes, strict=True))


def test_apportion_by_hand() -> None:
    assert apportion(10, [50, 30, 20]) == [5, 3, 2]
    assert apportion(1, [5, 5]) == [1, 0]  # the first wins a tie
    assert apportion(2, [1, 9], spare=True) == [0, 2]
    assert apportion(2, [1, 1], spare=True) == [1, 1]  # nothing can be spared


@settings(deadline=None, max_examples=40)
@given(sizes=sizes, seed=st.integers(0, 99), data=st.data())
def test_draw_takes_each_class_in_its_share(sizes: list[int], seed: int, data: st.DataObject) -> None:
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)) * 10**12, sizes))
    count = data.draw(st.integers(0, len(targets)))
    rows = draw(targets, count, np.random.default_rng(seed))
    assert (np.diff(rows) > 0).all()
    drawn = [int((targets[rows] == label * 10**12).sum()) for label in range(len(sizes))]
    assert drawn == apportion(count, sizes)


def test_draw_of_real_targets_is_plain() -> None:
    rows = draw(np.zeros((20, 3), np.float32), 7, np.random.default_rng(0))
    assert len(set(rows.tolist())) == 7


@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (9, 3), (1, 64), (5, 1)])
def test_batches_visit_every_sample_once(n: int, batch_size: int) -> None:
    for batches in (list(shuffled_batches(n, batch_size, 0, 0)), list(sequential_batches(n, batch_size))):
        assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
        assert len(batches[-1]) <= batch_size + 1
        assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert np.concatenate(list(sequential_batches(n, batch_size))).tolist() == list(range(n))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    orders = {
        (seed, epoch): tuple(np.concatenate(list(shuffled_batches(50, 8, seed, epoch))).tolist())
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len(set(orders.values())) == 4
    assert tuple(np.concatenate(list(shuffled_batches(50, 7, 1, 1))).tolist()) == orders[1, 1]


@settings(deadline=None, max_examples=20)
@given(
    rows=st.integers(2, 2500),
    channels=st.integers(1, 3),
    offset=st.sampled_from([0.0, 1e6]),
    seed=st.integers(0, 9),
)
def test_measure_equals_numpy(rows: int, channels: int, offset: float, seed: int) -> None:
    store = np.random.default_rng(seed).normal(offset, 2, (rows + 5, channels, 2)).astype(np.float32)
    chosen = np.arange(0, rows + 5, 2)
    measured = measure(store, chosen)
    values = store[chosen].astype(np.float64)
    np.testing.assert_allclose(measured.mean, values.mean(axis=(0, 2)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(measured.std, values.std(axis=(0, 2)), rtol=1e-6)


def test_a_constant_channel_is_divided_by_one() -> None:
    measured = measure(np.full((4, 1, 2, 2), 51, np.uint8), np.arange(4))
    assert measured.mean == pytest.approx((0.2,))
    assert measured.std == (1.0,)


def test_a_single_sample_left_over_joins_the_batch_before() -> None:
    assert [len(batch) for batch in shuffled_batches(33, 16, 0, 0)] == [16, 17]
    assert [len(batch) for batch in shuffled_batches(3, 1, 0, 0)] == [1, 1, 1]
    assert [len(batch) for batch in shuffled_batches(1, 16, 0, 0)] == [1]


@given(st.integers(1, 200), st.integers(1, 50))
def test_batches_are_counted(n: int, batch_size: int) -> None:
    assert batch_count(n, batch_size) == len(list(shuffled_batches(n, batch_size, 0, 0)))
