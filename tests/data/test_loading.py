"""The order of samples in an epoch, and the batches that the trainer gets."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import cnncli
from cnncli.data.augmentation import AUGMENTATIONS, Augmentation
from cnncli.data.batches import balanced_batches, shuffled_batches
from cnncli.data.dataset import Dataset, Split
from cnncli.data.loading import Batch, Loader, in_order
from cnncli.data.normalization import Normalization, Scaling
from cnncli.errors import DataError

Array = NDArray[Any]

SHAPE = (1, 12, 12)
UNITS = Normalization(mean=(0.3,), std=(0.2,))
EVERY_KIND = tuple(kind(type=name) for name, kind in AUGMENTATIONS.items())


def dataset(
    *augment: Augmentation,
    n: int = 70,
    shape: tuple[int, ...] = SHAPE,
    store: Any = None,
    targets: Array | None = None,
    normalization: Normalization | None = UNITS,
    **options: Any,
) -> Dataset:
    rng = np.random.default_rng(0)
    store = rng.integers(0, 256, (n + 5, *SHAPE)).astype(np.uint8) if store is None else store
    targets = np.arange(n) % 4 if targets is None else targets
    scaling = Scaling.of(normalization, store.dtype, store.shape[1:])
    split = Split(store, np.arange(5, n + 5), targets, shape, scaling)
    return Dataset(split, None, None, None, normalization, augment, **options)


def flip(**options: Any) -> Augmentation:
    return AUGMENTATIONS["horizontal_flip"].model_validate(options)


def assert_same(one: Batch, two: Batch) -> None:
    for field in dataclasses.fields(Batch):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))


@pytest.mark.parametrize("normalization", [None, UNITS])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_scaling_can_be_undone(normalization: Normalization | None, dtype: Any) -> None:
    x = np.arange(24).reshape(2, 1, 3, 4).astype(dtype)
    scaling = Scaling.of(normalization, dtype, (1, 3, 4))
    np.testing.assert_allclose(scaling.undo(scaling.apply(x)), x, atol=1e-5)


@pytest.mark.parametrize("kind", ["cross_entropy", "mse"])
def test_a_loader_learns_the_classes_from_the_network(kind: str) -> None:
    model = {"input": list(SHAPE), "layers": ["flatten", {"type": "linear", "out_features": 6}]}
    network = cnncli.load({"model": model, "loss": kind})
    loss, graph = network.experiment.loss, network.graph
    data = dataset(AUGMENTATIONS["mixup"]())
    for one, two in zip(Loader.of(data, loss, graph, 16, 3).epoch(2), Loader(data, 16, 3, 6).epoch(2), strict=True):
        assert_same(one, two)
        assert one.targets.shape[1:] == (6,)


@pytest.mark.parametrize("augment", [(), EVERY_KIND])
def test_a_batch_alone_is_that_of_the_epoch(augment: tuple[Augmentation, ...]) -> None:
    loader = Loader(dataset(*augment), 16, 0, 4)
    order = loader.order(2)
    for place, batch in enumerate(loader.epoch(2)):
        assert_same(loader.batch(2, place, order[place]), batch)


# The order


def test_shuffled_is_the_permutation_of_seed_and_epoch() -> None:
    order = np.random.default_rng([3, 2]).permutation(50)
    np.testing.assert_array_equal(np.concatenate(list(shuffled_batches(50, 8, 3, 2))), order)


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
    batch_size=st.integers(1, 20),
    seed=st.integers(0, 5),
)
def test_balanced_visits_classes_equally_and_samples_in_turn(sizes: list[int], batch_size: int, seed: int) -> None:
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)) * 7, sizes))
    visits = np.zeros(len(targets), np.int64)
    for epoch in range(1, 5):
        batches = list(balanced_batches(targets, batch_size, seed, epoch))
        lengths = [len(batch) for batch in shuffled_batches(len(targets), batch_size, seed, epoch)]
        assert [len(batch) for batch in batches] == lengths
        order = np.concatenate(batches)
        assert np.ptp(np.unique(targets[order], return_counts=True)[1]) <= 1
        visits += np.bincount(order, minlength=len(targets))
        for number in np.unique(targets):  # without repetition, before all of the class have had their turn
            assert np.ptp(visits[targets == number]) <= 1


def test_balanced_depends_on_seed_and_epoch_alone() -> None:
    targets = np.array([0] * 30 + [1] * 3)
    orders = {
        (seed, epoch): np.concatenate(list(balanced_batches(targets, 8, seed, epoch))).tobytes()
        for seed in (0, 1)
        for epoch in (1, 2)
    }
    assert len(set(orders.values())) == 4
    assert np.concatenate(list(balanced_batches(targets, 5, 1, 2))).tobytes() == orders[1, 2]


def test_balanced_mixes_the_classes_within_an_epoch() -> None:
    targets = np.arange(400) // 200
    halves = targets[np.concatenate(list(balanced_batches(targets, 8, 0, 1)))].reshape(2, 200).mean(axis=1)
    np.testing.assert_allclose(halves, 0.5, atol=0.1)


@pytest.mark.parametrize("targets", [np.zeros((9, 2), np.float32), np.zeros((9, 1), np.float32)])
def test_balanced_needs_classes(targets: Array) -> None:
    with pytest.raises(DataError) as caught:
        Loader(dataset(n=9, targets=targets, sampling="balanced"), 4, 0, None)
    expected = "one class number a sample, but the targets are float32 numbers of shape"
    assert str(caught.value) == (
        f"data.sampling: balanced needs {expected} {targets.shape[1:]}; set data.sampling to shuffle"
    )


# The loader


@pytest.mark.parametrize("sampling", ["shuffle", "balanced"])
@pytest.mark.parametrize("augment", [(), EVERY_KIND], ids=["plain", "augmented"])
def test_training_can_go_on_from_any_batch(augment: tuple[Augmentation, ...], sampling: str) -> None:
    data = dataset(*augment, sampling=sampling)
    whole = list(Loader(data, 16, 7, 4).epoch(2))
    assert len(whole) == Loader(data, 16, 7, 4).batches == 5
    for start in range(6):
        rest = list(Loader(data, 16, 7, 4).epoch(2, start))
        assert len(rest) == 5 - start
        for one, two in zip(whole[start:], rest, strict=True):
            assert_same(one, two)


@pytest.mark.parametrize("sampling", ["shuffle", "balanced"])
def test_seed_and_epoch_change_everything(sampling: str) -> None:
    data = dataset(*EVERY_KIND, sampling=sampling)
    first = {(seed, epoch): next(Loader(data, 16, seed, 4).epoch(epoch)) for seed in (0, 1) for epoch in (1, 2)}
    assert len({batch.x.tobytes() for batch in first.values()}) == 4
    assert len({batch.indices.tobytes() for batch in first.values()}) == 4


def test_without_augmentation_batches_are_those_of_the_split() -> None:
    data = dataset()
    for batch, indices in zip(Loader(data, 16, 3, 4).epoch(1), shuffled_batches(70, 16, 3, 1), strict=True):
        x, targets = data.train.batch(indices)
        assert_same(batch, Batch(x, targets, indices))


@pytest.mark.parametrize("normalization", [None, UNITS])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_augmentation_comes_before_normalisation(normalization: Normalization | None, dtype: Any) -> None:
    store = np.random.default_rng(1).integers(0, 256, (75, *SHAPE)).astype(dtype)
    data = dataset(flip(p=1), store=store, normalization=normalization)
    for batch in Loader(data, 16, 0, 4).epoch(1):
        x, targets = data.train.batch(batch.indices)
        assert batch.x.dtype == np.float32
        assert batch.x.flags.c_contiguous
        np.testing.assert_allclose(batch.x, x[..., ::-1], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(batch.targets, targets)


def test_bytes_stay_between_black_and_white_and_other_numbers_do_not() -> None:
    noise = AUGMENTATIONS["noise"].model_validate({"std": 2.0})
    (batch,) = Loader(dataset(noise, normalization=None), 70, 0, 4).epoch(1)
    assert (batch.x.min(), batch.x.max()) == (0, 1)
    (batch,) = Loader(dataset(noise, store=np.zeros((75, *SHAPE), np.float32)), 70, 0, 4).epoch(1)
    assert batch.x.min() < -10
    assert batch.x.max() > 10


def test_pictures_for_a_flat_network_are_augmented_as_pictures() -> None:
    data, flat = (dataset(*EVERY_KIND, shape=shape) for shape in (SHAPE, (144,)))
    for one, two in zip(Loader(data, 16, 0, 4).epoch(1), Loader(flat, 16, 0, 4).epoch(1), strict=True):
        assert two.x.shape[1:] == (144,)
        np.testing.assert_array_equal(one.x.reshape(len(one.x), 144), two.x)


def test_augmentation_that_does_not_fit_is_refused_at_once() -> None:
    store = np.zeros((75, 144), np.float32)
    with pytest.raises(DataError, match=r"data\.augment: horizontal_flip changes pictures"):
        Loader(dataset(flip(), store=store, shape=(144,)), 16, 0, 4)


def test_nothing_given_is_written_over() -> None:
    data = dataset(*EVERY_KIND, targets=np.random.default_rng(0).random((70, 3), np.float32))
    store, targets = data.train.store[:].copy(), data.train.targets.copy()
    list(Loader(data, 16, 0, None).epoch(1))
    np.testing.assert_array_equal(data.train.store[:], store)
    np.testing.assert_array_equal(data.train.targets, targets)


def stream(data: Dataset, **at: int) -> bytes:
    """Which samples of a batch are flipped, all samples being alike."""
    batch = next(Loader(data, 64, at.get("seed", 0), 4).epoch(at.get("epoch", 1), at.get("batch", 0)))
    return (batch.x[:, 0, 0, 0] == batch.x.min()).tobytes()


def test_every_place_has_random_numbers_of_its_own() -> None:
    store = np.tile(np.arange(12, dtype=np.float32), (261, 1, 12, 1))
    once = dataset(flip(), n=256, store=store)
    twice = dataset(flip(p=0), flip(), n=256, store=store)
    streams = {stream(once), stream(once, seed=1), stream(once, epoch=2), stream(once, batch=1), stream(twice)}
    assert len(streams) == 5


def test_mixing_makes_shares_of_classes() -> None:
    mixup = AUGMENTATIONS["mixup"].model_validate({"alpha": 1.0})
    for batch in Loader(dataset(flip(), mixup), 16, 0, 6).epoch(1):
        assert (batch.targets.shape, batch.targets.dtype) == ((len(batch.x), 6), np.float32)
        np.testing.assert_allclose(batch.targets.sum(axis=1), 1, atol=1e-6)
        assert (batch.targets[:, 4:] == 0).all()
        own = batch.targets[np.arange(len(batch.x)), batch.indices % 4]
        assert own.min() > 0


def test_mixing_takes_other_targets_as_numbers() -> None:
    mixup = AUGMENTATIONS["mixup"].model_validate({"alpha": 1.0})
    for targets in (np.arange(70), np.arange(70, dtype=np.float32)[:, None]):
        (batch,) = Loader(dataset(mixup, targets=targets), 70, 0, None).epoch(1)
        assert (batch.targets.shape, batch.targets.dtype) == (targets.shape, np.float32)
        assert batch.targets.min() >= 0
        assert not np.array_equal(batch.targets, targets[batch.indices])


class Slow:
    """A store that remembers what it was told, and asked for."""

    shape, dtype, ndim = (2005, *SHAPE), np.dtype(np.uint8), 4

    def __init__(self) -> None:
        self.announced: list[int] = []
        self.most_ahead = 0
        self.taken = 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> Array:
        assert self.announced[self.taken : self.taken + len(rows)] == rows.tolist()
        self.taken += len(rows)
        self.most_ahead = max(self.most_ahead, len(self.announced) - self.taken)
        return np.zeros((len(rows), *SHAPE), np.uint8)

    def prefetch(self, rows: NDArray[np.int64], /) -> None:
        self.announced += rows.tolist()


@pytest.mark.parametrize("batch_size", [1, 64, 100, 500])
@pytest.mark.parametrize("augment", [(), (flip(),)], ids=["plain", "augmented"])
def test_samples_are_announced_before_they_are_asked_for(batch_size: int, augment: tuple[Augmentation, ...]) -> None:
    store = Slow()
    data = dataset(*augment, store=store, n=2000)
    for batches in (Loader(data, batch_size, 0, 4).epoch(1), in_order(data.train, batch_size)):
        store.announced, store.taken, store.most_ahead = [], 0, 0
        assert sum(len(batch.x) for batch in batches) == 2000
        assert len(store.announced) == 2000  # each once
        assert 256 <= store.most_ahead <= 256 + 2 * batch_size


def test_waiting_is_counted() -> None:
    loader = Loader(dataset(), 16, 0, 4)
    assert loader.waited == 0
    list(loader.epoch(1))
    first = loader.waited
    assert first > 0
    next(loader.epoch(2))
    assert loader.waited > first


def test_in_order_is_the_split_as_it_is() -> None:
    data = dataset(flip(p=1))
    batches = list(in_order(data.train, 16))
    assert [len(batch.x) for batch in batches] == [16, 16, 16, 16, 6]
    x, targets = data.train.batch(np.arange(70))
    np.testing.assert_array_equal(np.concatenate([batch.x for batch in batches]), x)
    np.testing.assert_array_equal(np.concatenate([batch.targets for batch in batches]), targets)
    np.testing.assert_array_equal(np.concatenate([batch.indices for batch in batches]), np.arange(70))
