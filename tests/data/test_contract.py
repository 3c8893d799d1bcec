"""What every source promises. A new source needs a row in CASES."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from cnncli.data import SOURCES, Dataset, Source, Split
from cnncli.errors import DataError
from tests.data.makers import COUNTS, labels, pixels, write_cifar, write_list, write_mnist, write_pictures


@dataclass(frozen=True)
class Case:
    """Options of a source (paths relative to a base folder), and who makes the files there."""

    shape: tuple[int, ...]
    options: dict[str, object]
    make: Callable[[Path], object] = lambda base: None
    has_test: bool = True


def npz(base: Path) -> None:
    np.savez(base / "set.npz", x=pixels(80, 6, 5, 3), y=labels())


def npy(base: Path) -> None:
    np.save(base / "x.npy", pixels(80, 6, 5, 3))
    np.save(base / "y.npy", labels())


CASES = {
    "fashion-mini": Case((1, 28, 28), {}),
    "mnist-mini": Case((1, 28, 28), {}),
    "idx": Case((1, 6, 5), {"path": "mnist"}, lambda base: write_mnist(base / "mnist", suffix=".gz")),
    "folder": Case(
        (3, 6, 8),
        {"path": "zoo"},
        lambda base: write_pictures(base / "zoo", dict(zip(("ant", "bee", "cow"), COUNTS, strict=True))),
        has_test=False,
    ),
    "csv": Case((3, 6, 8), {"path": "list.csv"}, write_list, has_test=False),
    "npz": Case((3, 6, 5), {"path": "set.npz"}, npz, has_test=False),
    "npy": Case((3, 6, 5), {"inputs": "x.npy", "targets": "y.npy"}, npy, has_test=False),
    "cifar10": Case((3, 32, 32), {"path": "."}, write_cifar),
    "cifar100": Case((3, 32, 32), {"path": "."}, lambda base: write_cifar(base, fine=True)),
}

PICTURES = ("folder", "csv")
"""The sources whose pictures are brought to the network's size."""


@pytest.fixture(scope="module", params=sorted(SOURCES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def case(name: str) -> Case:
    return CASES[name]


@pytest.fixture(scope="module")
def base(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    case.make(folder)
    return folder


def located(name: str, case: Case, base: Path, **options: object) -> Source:
    source = SOURCES[name].model_validate(case.options | options)
    return source.located(dict.fromkeys(source.paths, base))


@pytest.fixture(scope="module")
def open_(name: str, case: Case, base: Path) -> Callable[..., Dataset]:
    def opened(seed: int = 0, shape: tuple[int, ...] | None = None, **options: object) -> Dataset:
        return located(name, case, base, **options).open(shape or case.shape, seed=seed)

    return opened


def splits_of(dataset: Dataset) -> list[Split]:
    return [split for split in (dataset.train, dataset.val, dataset.test) if split is not None]


def test_the_table_has_every_source() -> None:
    assert set(CASES) == set(SOURCES)
    assert {source.type: source for source in SOURCES.values()} == SOURCES


def test_classes_have_their_names_before_a_sample_is_read(
    open_: Callable[..., Dataset], name: str, case: Case, base: Path
) -> None:
    source, dataset = located(name, case, base), open_()
    assert source.class_names() == dataset.class_names
    gone = dict.fromkeys(source.paths, base / "gone")
    assert source.resolved(dataset).model_copy(update=gone).class_names() == dataset.class_names


def test_a_path_that_leads_nowhere_is_named_with_its_option(name: str, case: Case, base: Path) -> None:
    path = base / "nowhere"
    for option in located(name, case, base).paths:
        with pytest.raises(DataError) as caught:
            located(name, case, base, **{option: "nowhere"}).open(case.shape, seed=0)
        fix = f"correct data.{option}, as by --set data.{option}=PATH"
        assert str(caught.value) == f"{path}: no such file or folder; {fix}"


def test_options_are_immutable_described_and_known(name: str, case: Case) -> None:
    source = SOURCES[name].model_validate(case.options)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(source, "validation", 0.5)  # noqa: B010 - as anybody would by mistake
    with pytest.raises(ValidationError, match="colour"):
        SOURCES[name].model_validate(case.options | {"colour": 1})
    assert all(field.description for field in SOURCES[name].model_fields.values())
    assert set(Source.model_fields) <= set(SOURCES[name].model_fields)


def test_shapes_and_types(open_: Callable[..., Dataset], case: Case) -> None:
    dataset = open_()
    for split in splits_of(dataset):
        x, targets = split.batch(np.array([2, 0]))
        assert x.dtype == np.float32
        assert x.shape == (2, *case.shape)
        assert x.flags.c_contiguous
        assert targets.dtype == np.int64
        assert targets.shape == (2,)
        assert split.inputs.shape == (len(split), *case.shape)
        assert split.targets.shape == (len(split),)
    assert (dataset.test is not None) == case.has_test
    assert dataset.class_names is None or len(dataset.class_names) == len(np.unique(dataset.train.targets))


def test_a_batch_is_its_samples(open_: Callable[..., Dataset], case: Case) -> None:
    for options in ({}, {"normalize": {"mean": 0.4, "std": [0.2]}}, {"normalize": "auto"}):
        dataset = open_(**options)
        for split in splits_of(dataset):
            indices = np.random.default_rng(1).integers(0, len(split), 9)
            x, targets = split.batch(indices)
            for position, index in enumerate(indices):
                one, target = split.batch([int(index)])
                np.testing.assert_array_equal(x[position], one[0])
                assert targets[position] == target[0] == split.targets[index]
            mean, std = np.zeros(1), np.ones(1)
            if dataset.normalization is not None:
                mean, std = np.array(dataset.normalization.mean), np.array(dataset.normalization.std)
            shaped = [numbers.reshape(-1, *[1] * (len(case.shape) - 1)) for numbers in (mean, std)]
            np.testing.assert_allclose(x, (split.inputs[indices] / 255 - shaped[0]) / shaped[1], atol=2e-6)


def test_a_part_of_a_split_has_the_same_samples(open_: Callable[..., Dataset]) -> None:
    whole = open_(normalize="auto").train
    part = whole.take([3, 0, 3]).take([2, 1])
    assert len(part) == 2
    for mine, theirs in zip(part.batch([0, 1]), whole.batch([3, 0]), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_bytes_alone_are_divided_by_255_exactly(open_: Callable[..., Dataset]) -> None:
    split = open_().train
    np.testing.assert_array_equal(split.batch([0, 1])[0], split.inputs[:2].astype(np.float32) / np.float32(255))


def test_splits_share_nothing_and_lose_nothing(open_: Callable[..., Dataset]) -> None:
    whole = open_(validation=0)
    assert whole.val is None
    for options in ({"validation": 0.25}, {"validation": 13}, {"validation": 0.01}):
        dataset = open_(**options)
        assert dataset.val is not None
        rows = np.concatenate([dataset.train.rows, dataset.val.rows])
        np.testing.assert_array_equal(np.sort(rows), whole.train.rows)
        expected = options["validation"]
        count = expected if isinstance(expected, int) else round(expected * len(whole.train))
        assert len(dataset.val) == max(1, count)


def test_a_test_split_can_be_held_out_where_there_is_none(open_: Callable[..., Dataset], case: Case) -> None:
    if case.has_test:
        with pytest.raises(DataError, match=r"the data has test samples of its own; remove data\.test"):
            open_(test=0.2)
        return
    dataset = open_(test=0.2, validation=10)
    assert dataset.test is not None
    assert dataset.val is not None
    rows = np.concatenate([split.rows for split in splits_of(dataset)])
    np.testing.assert_array_equal(np.sort(rows), np.arange(sum(COUNTS)))
    assert (len(dataset.test), len(dataset.val)) == (16, 10)


def test_classes_keep_their_shares(open_: Callable[..., Dataset]) -> None:
    whole = np.bincount(open_(validation=0).train.targets)
    val = open_(validation=0.2).val
    assert val is not None
    assert np.abs(np.bincount(val.targets, minlength=len(whole)) - 0.2 * whole).max() < 1
    limited = open_(validation=0, limit=20).train
    assert len(limited) == 20
    assert np.abs(np.bincount(limited.targets, minlength=len(whole)) - 20 / whole.sum() * whole).max() < 1


def test_the_seed_decides_the_splits(open_: Callable[..., Dataset]) -> None:
    first, again, other = (open_(seed, validation=0.3, limit=60) for seed in (5, 5, 6))
    for one, two in zip(splits_of(first), splits_of(again), strict=True):
        np.testing.assert_array_equal(one.inputs, two.inputs)
        np.testing.assert_array_equal(one.targets, two.targets)
    assert first.val is not None
    assert other.val is not None
    assert not np.array_equal(first.val.inputs, other.val.inputs)


def test_limit_holds_for_every_split(open_: Callable[..., Dataset]) -> None:
    dataset = open_(limit=10, validation=3)
    assert [len(split) for split in splits_of(dataset)[:2]] == [7, 3]
    assert dataset.test is None or len(dataset.test) == 10
    assert len(open_(limit=10**9, validation=0).train) == len(open_(validation=0).train)


def test_auto_normalises_the_training_split(open_: Callable[..., Dataset], case: Case) -> None:
    dataset = open_(normalize="auto")
    x, _ = dataset.train.batch(range(len(dataset.train)))
    assert dataset.normalization is not None
    assert len(dataset.normalization.mean) == case.shape[0]
    np.testing.assert_allclose(x.mean(axis=(0, 2, 3), dtype=np.float64), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(0, 2, 3), dtype=np.float64), 1, atol=1e-5)


def test_too_many_means(open_: Callable[..., Dataset]) -> None:
    with pytest.raises(DataError, match=r"normalize.mean has 7 numbers, but the data has \d channels; expected 1"):
        open_(normalize={"mean": [0.5] * 7, "std": 1})


def test_pictures_to_look_at(open_: Callable[..., Dataset], case: Case) -> None:
    split = open_(normalize="auto").train
    picture = split.display(3)
    assert picture.dtype == np.uint8
    stored = split.inputs[3]
    np.testing.assert_array_equal(picture, stored[0] if case.shape[0] == 1 else stored.transpose(1, 2, 0))


def test_the_fix_for_a_wrong_input_shape_works(open_: Callable[..., Dataset], name: str, case: Case) -> None:
    if name in PICTURES:
        assert open_(shape=(1, 4, 4)).train.inputs.shape[1:] == (1, 4, 4)
        with pytest.raises(DataError, match=r"model.input is \[2, 4, 4\], but pictures need \[1, height, width\]"):
            open_(shape=(2, 4, 4))
        return
    with pytest.raises(DataError, match=r"model.input is \[3, 9, 9\]; set model.input to \[") as caught:
        open_(shape=(3, 9, 9))
    fix = re.search(r"set model.input to \[([\d, ]+)\]", str(caught.value))
    assert fix is not None
    assert open_(shape=tuple(map(int, fix[1].split(",")))).train.inputs.shape[1:] == case.shape


def test_a_flat_network_takes_pictures(open_: Callable[..., Dataset], name: str, case: Case) -> None:
    if name in PICTURES:
        with pytest.raises(DataError, match=r"model.input is \[144\], but pictures need"):
            open_(shape=(144,))  # they are resized, and a flat input has no height
        return
    size = int(np.prod(case.shape))
    flat = open_(shape=(size,), normalize="auto")
    x, _ = flat.train.batch([4])
    np.testing.assert_array_equal(x.reshape(case.shape), open_(normalize="auto").train.batch([4])[0][0])
    assert flat.train.inputs.shape == (len(flat.train), size)
    assert flat.train.display(0).shape[:2] == case.shape[1:]


def test_too_much_held_out(open_: Callable[..., Dataset]) -> None:
    with pytest.raises(DataError, match=r"data.validation: 30 of 30 samples leaves none to train on; lower it"):
        open_(limit=30, validation=30)


def test_too_few_class_names(open_: Callable[..., Dataset]) -> None:
    with pytest.raises(DataError, match=r"data.classes names 2: 0 to 1|data.classes differ in|none of data.classes"):
        open_(classes=["a", "b"])


def test_what_is_held_out_from_training_most(open_: Callable[..., Dataset], case: Case) -> None:
    for options, held_out in (({}, "val"), ({"validation": 0}, "train")):
        dataset = open_(**options)
        assert dataset.held_out == ("test" if case.has_test else held_out)
        assert list(dataset.splits.values()) == splits_of(dataset)


def test_a_split_that_is_absent(open_: Callable[..., Dataset]) -> None:
    dataset = open_(validation=0)
    with pytest.raises(DataError, match=r"the data has no split 'val'; it has train.*; set data.validation"):
        dataset.split("val")
    with pytest.raises(DataError, match=r"the data has no split 'tset'; it has train"):
        dataset.split("tset")
    assert dataset.split("train") is dataset.train


def test_resolved_options_open_the_same_data_from_anywhere(
    name: str, case: Case, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = located(name, case, base, normalize="auto", limit=50)
    dataset = source.open(case.shape, seed=3)
    written = source.resolved(dataset).model_dump(mode="json")
    monkeypatch.chdir(tmp_path)
    again = SOURCES[name].model_validate(written).open(case.shape, seed=3)
    assert again.normalization == dataset.normalization
    assert again.class_names == dataset.class_names
    for one, two in zip(splits_of(dataset), splits_of(again), strict=True):
        np.testing.assert_array_equal(one.batch(range(len(one)))[0], two.batch(range(len(two)))[0])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"validation": 1.0}, "expected a fraction from 0 to below 1"),
        ({"validation": -1}, "expected a fraction from 0 to below 1"),
        ({"validation": True}, "expected a fraction from 0 to below 1"),
        ({"test": "0.1"}, "expected a fraction from 0 to below 1"),
        ({"validation": float("nan")}, "expected a fraction from 0 to below 1"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"normalize": "Auto"}, "expected auto, or {mean: "),
        ({"normalize": 3}, "expected auto, or {mean: "),
        ({"normalize": {"mean": 0}}, "std\n  Field required"),
        ({"normalize": {"mean": 0, "std": 0}}, "greater than 0"),
        ({"normalize": {"mean": [], "std": 1}}, "at least 1 item"),
        ({"normalize": {"mean": float("inf"), "std": 1}}, "finite"),
        ({"classes": []}, "at least 1 item"),
        ({"classes": ["a", "a"]}, "class 1 has the same name as class 0, 'a'"),
        ({"classes": ["a", "\x1b[2J"]}, r"the name of class 1, '\x1b[2J', cannot be printed"),
    ],
)
def test_bad_common_options(name: str, case: Case, options: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SOURCES[name].model_validate(case.options | options)
    assert expected in str(caught.value)
