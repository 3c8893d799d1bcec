"""What each source does beyond the common contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from cnncli.data.formats.idx import read_idx
from cnncli.data.formats.npy import npz_keys, read_npz
from cnncli.data.sources.cifar import Cifar10, Cifar100
from cnncli.data.sources.csv import Csv
from cnncli.data.sources.folder import Folder
from cnncli.data.sources.idx import Idx
from cnncli.data.sources.npy import Npy
from cnncli.data.sources.npz import Npz
from cnncli.errors import DataError
from tests.data.makers import labels, pixels, write_cifar, write_idx, write_mnist, write_pictures

DTYPES = ("uint8", "int8", "int16", "int32", "float32", "float64")


def mapped(array: NDArray[Any]) -> bool:
    """The numbers lie in a file."""
    base: object = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


# IDX


@settings(deadline=None, max_examples=60)
@given(data=st.data(), dtype=st.sampled_from(DTYPES), suffix=st.sampled_from(["", ".gz"]))
def test_idx_round_trip(data: st.DataObject, dtype: str, suffix: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    shape = data.draw(arrays.array_shapes(max_dims=4, max_side=5))
    array = data.draw(arrays.arrays(np.dtype(dtype), shape))
    path = write_idx(tmp_path_factory.mktemp("idx") / f"file{suffix}", array)
    read = read_idx(path)
    assert mapped(read) == (suffix == "")
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dot", [False, True])
def test_idx_finds_the_standard_names(tmp_path: Path, suffix: str, dot: bool) -> None:
    write_mnist(tmp_path, suffix=suffix, dot=dot)
    dataset = Idx(path=tmp_path).open((1, 6, 5), seed=0)
    assert (len(dataset.train), len(dataset.split("val")), len(dataset.split("test"))) == (72, 8, 12)


def test_idx_without_a_test_pair_and_by_explicit_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_mnist(tmp_path, test=False)
    assert Idx(path=tmp_path).open((1, 6, 5), seed=0).test is None
    names = {"images": "train-images-idx3-ubyte", "labels": "train-labels-idx1-ubyte"}
    test_names = {f"test_{kind}": name for kind, name in names.items()}
    dataset = Idx.model_validate(names | test_names).open((1, 6, 5), seed=0)
    assert len(dataset.split("test")) == 80
    assert Idx.model_validate(names).open((1, 6, 5), seed=0).test is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "expected either path (a folder), or images and labels (files)"),
        ({"path": "a", "images": "b", "labels": "c"}, "expected either path"),
        ({"images": "b"}, "expected images and labels together"),
        ({"images": "b", "labels": "c", "test_labels": "d"}, "expected test_images and test_labels together"),
        ({"path": "a", "test_images": "b", "test_labels": "c"}, "path finds the test files by itself"),
    ],
)
def test_idx_options_that_contradict(options: dict[str, str], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Idx.model_validate(options)
    assert expected in str(caught.value)


# NPZ


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_maps_what_is_not_compressed(tmp_path: Path, save: Any, order: Any) -> None:
    first, second = pixels(7, 4, 3), np.arange(5, dtype=np.float64)
    save(tmp_path / "a.npz", first=np.asarray(first, order=order), second=second)
    path = tmp_path / "a.npz"
    assert npz_keys(path) == ("first", "second")
    for key, array in (("first", first), ("second", second)):
        read = read_npz(path, key)
        np.testing.assert_array_equal(read, array)
        assert read.dtype == array.dtype
        assert mapped(read) == (save is np.savez)


def test_npz_splits_stay_mapped(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=pixels(80, 6, 5, 3), y=labels())
    dataset = Npz(path=tmp_path / "a.npz").open((3, 6, 5), seed=0)
    assert mapped(np.asarray(dataset.train.store))
    assert dataset.split("val").store is dataset.train.store


def test_npz_knows_the_names_that_others_write(tmp_path: Path) -> None:
    keras: dict[str, Any] = {f"{kind}_{split}": pixels(9, 4, 4) for kind in "x" for split in ("train", "test")}
    keras |= {f"y_{split}": np.arange(9).reshape(9, 1) % 3 for split in ("train", "test")}
    medmnist: dict[str, Any] = {f"{split}_images": pixels(8, 4, 4, 3) for split in ("train", "val", "test")}
    medmnist |= {f"{split}_labels": np.zeros((8, 1), np.uint8) for split in ("train", "val", "test")}
    for arrays_, shape, sizes in (
        (keras, (1, 4, 4), (8, 1, 9)),
        (medmnist, (3, 4, 4), (8, 8, 8)),
        ({"images": pixels(10, 1, 4, 4), "labels": np.zeros(10, np.int8)}, (1, 4, 4), (9, 1, 0)),
    ):
        np.savez(tmp_path / "a.npz", **arrays_)
        dataset = Npz(path=tmp_path / "a.npz").open(shape, seed=0)
        assert (len(dataset.train), len(dataset.split("val")), len(dataset.test or ())) == sizes
        assert dataset.train.targets.dtype == np.int64


def test_npz_keys_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "a.npz", a=pixels(10, 4, 4), b=np.zeros(10, int), c=pixels(3, 4, 4), d=np.zeros(3, int))
    options = {"path": "a.npz", "inputs": "a", "targets": "b", "test_inputs": "c", "test_targets": "d"}
    dataset = Npz.model_validate(options).open((1, 4, 4), seed=0)
    assert (len(dataset.train), len(dataset.split("test"))) == (9, 3)
    for missing in ("inputs", "test_inputs"):
        with pytest.raises(ValidationError, match=r"together|besides"):
            Npz.model_validate({key: value for key, value in options.items() if key != missing})


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (np.linspace(0, 1, 10), (10, 1)),  # regression
        (np.ones((10, 2, 3), np.float32), (10, 2, 3)),
        (np.ones((10, 4), bool), (10, 4)),  # multi-label
        (np.eye(10, dtype=int), (10, 10)),
    ],
)
def test_targets_that_are_no_classes(tmp_path: Path, targets: NDArray[Any], expected: tuple[int, ...]) -> None:
    np.savez(tmp_path / "a.npz", x=np.random.default_rng(0).normal(size=(10, 3)), y=targets)
    dataset = Npz(path=tmp_path / "a.npz", validation=0).open((3,), seed=0)
    assert dataset.train.targets.dtype == np.float32
    assert dataset.train.targets.shape == expected
    np.testing.assert_allclose(dataset.train.targets.ravel(), targets.ravel().astype(np.float32))


def test_real_inputs_are_left_as_they_are(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(5, 3, (10, 4, 4))
    np.savez(tmp_path / "a.npz", x=x, y=np.zeros(10, int))
    plain = Npz(path=tmp_path / "a.npz", validation=0).open((1, 4, 4), seed=0).train
    np.testing.assert_array_equal(plain.batch(range(10))[0][:, 0], x.astype(np.float32))
    assert (plain.display(0).min(), plain.display(0).max()) == (0, 255)
    scaled = Npz.model_validate({"path": tmp_path / "a.npz", "validation": 0, "normalize": {"mean": 5, "std": 3}})
    batch, _ = scaled.open((1, 4, 4), seed=0).train.batch(range(10))
    np.testing.assert_allclose(batch[:, 0], (x - 5) / 3, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("stored", "shape"),
    [
        ((10, 4, 5), (1, 4, 5)),
        ((10, 2, 4, 5), (2, 4, 5)),
        ((10, 4, 5, 2), (2, 4, 5)),
        ((10, 20), (1, 4, 5)),
        ((10, 20), (20,)),
        ((10, 4, 5), (20,)),
        ((10, 4, 5), (4, 5)),
        ((10, 9), (1, 9)),
        ((10, 3, 3, 3), (3, 3, 3)),
    ],
)
def test_layouts(tmp_path: Path, stored: tuple[int, ...], shape: tuple[int, ...]) -> None:
    x = pixels(*stored)
    np.savez(tmp_path / "a.npz", x=x, y=np.zeros(10, int))
    split = Npz(path=tmp_path / "a.npz", validation=0).open(shape, seed=0).train
    moved = np.moveaxis(x, -1, 1) if stored == (10, 4, 5, 2) else x
    np.testing.assert_array_equal(split.inputs, moved.reshape(10, *shape))


# Folders


def test_folder_numbers_the_classes_by_name_or_as_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"b": 3, "a": 2, "c": 1})
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.txt").write_text("about")
    (tmp_path / "a" / ".DS_Store").write_text("")
    source = Folder(path=tmp_path, validation=0)
    dataset = source.open((3, 6, 8), seed=0)
    assert dataset.class_names == ("a", "b", "c")
    assert np.bincount(dataset.train.targets).tolist() == [2, 3, 1]
    told = source.model_copy(update={"classes": ("c", "b", "a")}).open((3, 6, 8), seed=0)
    assert np.bincount(told.train.targets).tolist() == [1, 3, 2]
    with Image.open(tmp_path / "c" / "0.png") as image:
        np.testing.assert_array_equal(told.train.display(0), np.asarray(image))


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_folder_with_splits_of_its_own(tmp_path: Path, val: str) -> None:
    for name, counts in (("train", {"a": 4, "b": 3}), (val, {"b": 2, "a": 1}), ("test", {"a": 1, "b": 1})):
        write_pictures(tmp_path / name, counts)
    dataset = Folder(path=tmp_path).open((3, 6, 8), seed=0)
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [7, 3, 2]
    assert dataset.split("val").targets.tolist() == [0, 1, 1]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"train": 2, "bus": 2})
    assert Folder(path=tmp_path).open((3, 6, 8), seed=0).class_names == ("bus", "train")


def test_limit_decodes_no_more_than_it_needs(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"a": 20, "b": 10})
    source = Folder(path=tmp_path, limit=6, validation=0)
    chosen = source.open((3, 6, 8), seed=0)
    assert len(chosen.train.store) == 6
    assert np.bincount(chosen.train.targets).tolist() == [4, 2]


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"a": 2, "b": 1})
    (tmp_path / "b" / "again.png").symlink_to(tmp_path / "a" / "0.png")
    assert len(Folder(path=tmp_path, validation=0).open((3, 6, 8), seed=0).train) == 4


def test_every_file_that_is_no_picture_is_named_at_once(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"a": 3, "b": 30})
    (tmp_path / "a" / "1.png").write_bytes(b"nothing")
    for index in range(25):
        (tmp_path / "b" / f"{index}.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        Folder(path=tmp_path).open((3, 6, 8), seed=0)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path}/a/1.png: is no picture; expected PNG, JPEG, BMP or WebP"
    assert lines[1] == f"{tmp_path}/b/0.png: is empty; expected a picture"
    assert lines[-1] == "... and 6 more"
    assert len(lines) == 21


def test_a_damaged_picture_is_named_when_it_is_met(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"a": 3, "b": 3})
    content = (tmp_path / "b" / "0.png").read_bytes()
    (tmp_path / "b" / "0.png").write_bytes(content[:60])
    train = Folder(path=tmp_path, validation=0).open((3, 6, 8), seed=0).train
    assert train.raw([0, 1, 2, 4, 5]).shape == (5, 3, 6, 8)
    for ahead in (False, True):
        if ahead:
            train.prefetch([2, 3])
        with pytest.raises(DataError) as caught:
            train.raw([2, 3])
        message = str(caught.value)
        assert message.startswith(f"{tmp_path}/b/0.png: the picture is damaged or cut short")
        assert message.endswith("; 'cnncli data check' lists all such files")


# CSV


def written(folder: Path, text: str) -> Csv:
    """A list of ten pictures, p/0.png to p/9.png, that lie in the folder."""
    write_pictures(folder, {"p": 10})
    (folder / "a.csv").write_text(text)
    return Csv(path=folder / "a.csv", validation=0)


def rows(*columns: str) -> str:
    """For ten pictures, column by column: ten texts that are separated by blanks."""
    fields = [[f"p/{index}.png" for index in range(10)], *(column.split() for column in columns)]
    return "\n".join(map(",".join, zip(*fields, strict=True))) + "\n"


@pytest.mark.parametrize(
    ("column", "expected", "names"),
    [
        ("b a b a b a b a b c", [1, 0, 1, 0, 1, 0, 1, 0, 1, 2], ("a", "b", "c")),
        ("0 1 0 1 0 1 0 1 0 7", [0, 1, 0, 1, 0, 1, 0, 1, 0, 7], None),
        ("0.5 1 -2 3 4 5 6 7 8 1e2", [[0.5], [1], [-2], [3], [4], [5], [6], [7], [8], [100]], None),
    ],
)
def test_csv_tells_classes_from_numbers(
    column: str, expected: list[object], names: tuple[str, ...] | None, tmp_path: Path
) -> None:
    dataset = written(tmp_path, "file,kind\n" + rows(column)).open((3, 6, 8), seed=0)
    assert dataset.class_names == names
    assert dataset.train.targets.tolist() == expected
    assert dataset.train.targets.dtype == (np.float32 if isinstance(expected[0], list) else np.int64)


def test_csv_takes_the_classes_in_the_order_that_is_told(tmp_path: Path) -> None:
    source = written(tmp_path, "file,kind\n" + rows("9 7 9 7 9 7 9 7 9 7"))
    told = source.model_copy(update={"classes": ("9", "7")}).open((3, 6, 8), seed=0)
    assert told.train.targets.tolist() == [0, 1] * 5
    numbers = source.model_copy(update={"classes": tuple("abcdefghij")}).open((3, 6, 8), seed=0)
    assert numbers.train.targets.tolist() == [9, 7] * 5


def test_csv_with_several_columns_and_splits(tmp_path: Path) -> None:
    splits = "train train val train test train validation train train test"
    table = "split,file,x,y,note\n" + "\n".join(
        f"{split},p/{row}.png,{row},{row / 2},n" for row, split in enumerate(splits.split())
    )
    source = written(tmp_path, table).model_copy(update={"image": "file", "targets": ("y", "x")})
    dataset = source.open((3, 6, 8), seed=0)
    assert dataset.train.targets.tolist() == [[0, 0], [0.5, 1], [1.5, 3], [2.5, 5], [3.5, 7], [4, 8]]
    assert dataset.class_names is None
    assert dataset.split("val").targets.tolist() == [[1, 2], [3, 6]]
    assert dataset.split("test").targets.tolist() == [[2, 4], [4.5, 9]]
    with Image.open(tmp_path / "p" / "6.png") as image:
        np.testing.assert_array_equal(dataset.split("val").display(1), np.asarray(image))


def test_csv_columns_of_0_and_1_are_labels_with_their_names(tmp_path: Path) -> None:
    table = "path,wet,cold\n" + "\n".join(f"p/{row}.png,{row % 2},{row % 3 % 2}.0" for row in range(10))
    source = written(tmp_path, table)
    assert source.open((3, 6, 8), seed=0).class_names == source.class_names() == ("wet", "cold")
    assert source.model_copy(update={"targets": ("wet",)}).class_names() is None
    named = source.model_copy(update={"classes": ("w", "c")})
    assert named.open((3, 6, 8), seed=0).class_names == ("w", "c")
    with pytest.raises(DataError, match=r"but data\.classes names 3"):
        source.model_copy(update={"classes": ("a", "b", "c")}).open((3, 6, 8), seed=0)


def test_csv_may_have_quotes_a_mark_and_blank_lines(tmp_path: Path) -> None:
    table = "\ufefffile, kind\r\n" + rows("x y x y x y x y x y").replace("\n", "\r\n\r\n")
    dataset = written(tmp_path, table.replace("p/0.png", '"p/0.png"')).open((3, 6, 8), seed=0)
    assert dataset.class_names == ("x", "y")
    assert len(dataset.train) == 10


# CIFAR


def test_cifar_is_its_records(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    (tmp_path / "batches.meta.txt").write_text("plane\ncar\nbird\n\n")
    dataset = Cifar10(path=tmp_path, validation=0).open((3, 32, 32), seed=0)
    assert dataset.class_names == ("plane", "car", "bird")
    content = b"".join((tmp_path / f"data_batch_{number}.bin").read_bytes() for number in range(1, 6))
    records = np.frombuffer(content, np.uint8).reshape(80, 3073)
    np.testing.assert_array_equal(dataset.train.targets, records[:, 0])
    order = np.random.default_rng(0).permutation(80)
    np.testing.assert_array_equal(dataset.train.raw(order).reshape(80, -1), records[order, 1:])
    np.testing.assert_array_equal(dataset.train.display(70), records[70, 1:].reshape(3, 32, 32).transpose(1, 2, 0))


def test_cifar100_has_coarse_and_fine_labels(tmp_path: Path) -> None:
    write_cifar(tmp_path, fine=True)
    (tmp_path / "coarse_label_names.txt").write_text("animal\nmachine\n")
    fine = Cifar100(path=tmp_path, validation=0).open((3, 32, 32), seed=0)
    coarse = Cifar100(path=tmp_path, validation=0, labels="coarse").open((3, 32, 32), seed=0)
    assert (fine.class_names, coarse.class_names) == (None, ("animal", "machine"))
    np.testing.assert_array_equal(fine.train.targets // 2, coarse.train.targets)


# NPY


def test_npy_with_splits_of_its_own(tmp_path: Path) -> None:
    arrays_ = {name: pixels(count, 4, 5) for name, count in (("train", 9), ("val", 4), ("test", 3))}
    options = {"inputs": "train_x.npy", "targets": "train_y.npy"}
    for name, array in arrays_.items():
        np.save(tmp_path / f"{name}_x.npy", array)
        np.save(tmp_path / f"{name}_y.npy", np.arange(len(array)))
        if name != "train":
            options |= {f"{name}_inputs": f"{name}_x.npy", f"{name}_targets": f"{name}_y.npy"}
    source = Npy.model_validate(options)
    dataset = source.located(dict.fromkeys(source.paths, tmp_path)).open((1, 4, 5), seed=0)
    for name, array in arrays_.items():
        assert mapped(np.asarray(dataset.split(name).store))
        np.testing.assert_array_equal(dataset.split(name).inputs[:, 0], array)
    with pytest.raises(ValidationError, match="expected val_inputs and val_targets together"):
        Npy.model_validate({key: value for key, value in options.items() if key != "val_targets"})
