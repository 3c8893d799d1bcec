from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from cnncli.data import SOURCES, Dataset, Source, read_array, resolve
from cnncli.data.sources.folder import Folder
from cnncli.data.sources.npz import Npz
from cnncli.errors import DataError
from tests.data.makers import inputs, labels, pixels, write_pictures

GREY = (1, 28, 28)


@pytest.fixture
def fashion() -> Source:
    return SOURCES["fashion-mini"]()


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_samples_of_the_data(fashion: Source) -> None:
    dataset = fashion.open(GREY, seed=4)
    given = inputs(["train:17", "val:0", "test:999"], GREY, source=fashion, seed=4)
    assert given.names == ("train:17", "val:0", "test:999")
    assert given.targets is not None
    for row, (split, index) in enumerate([("train", 17), ("val", 0), ("test", 999)]):
        x, targets = dataset.split(split).batch([index])
        np.testing.assert_array_equal(given.x[row], x[0])
        assert given.targets[row] == targets[0]
        picture = given.pictures[row]
        assert picture is not None
        np.testing.assert_array_equal(picture, dataset.split(split).display(index))


@pytest.mark.parametrize("spec", ["test:1000", "test:-1", "test:", "test:x", "test:1e3", "test:" + "9" * 50, "test:٣"])
def test_samples_out_of_range(fashion: Source, spec: str) -> None:
    with pytest.raises(DataError) as caught:
        inputs([spec], GREY, source=fashion)
    assert str(caught.value).endswith("expected test:0 to test:999; there are 1,000 samples")


def test_the_data_is_opened_only_where_an_input_needs_it(fashion: Source) -> None:
    Image.fromarray(pixels(28, 28)).save("a.png")
    np.save("a.npy", np.zeros(GREY))

    def needed() -> Dataset:
        raise DataError("it is needed")

    assert len(resolve(["a.png", "a.npy"], GREY, fashion, needed).x) == 2
    automatic = fashion.model_copy(update={"normalize": "auto"})
    for spec, source in (("train:0", fashion), ("train:0", None), ("a.png", automatic)):
        with pytest.raises(DataError, match="it is needed"):
            resolve([spec], GREY, source, needed)


def test_samples_without_the_split(fashion: Source) -> None:
    with pytest.raises(DataError, match=r"the data has no split 'val'; it has train, test; set data\.validation"):
        inputs(["val:0"], GREY, source=fashion.model_copy(update={"validation": 0}))


def test_each_input_has_its_own_label_or_none(fashion: Source) -> None:
    np.save("a.npy", np.zeros((2, *GREY)))
    dataset = fashion.open(GREY, seed=0)
    given = inputs(["test:3", "a.npy", "test:5"], GREY, source=fashion)
    labels = dataset.split("test").targets
    assert given.labels == (labels[3], None, None, labels[5])
    assert given.targets is None
    assert given[1:3].targets is None
    alone = given[3:]
    assert (alone.names, alone.labels) == (("test:5",), (labels[5],))
    np.testing.assert_array_equal(alone.targets, labels[5:6])
    assert alone.targets is not None
    assert alone.targets.dtype == labels.dtype


def test_targets_that_are_numbers() -> None:
    np.savez("a.npz", x=pixels(80, 4, 4), y=np.linspace(0, 1, 80))
    given = inputs(["train:0"], (1, 4, 4), source=Npz(path=Path("a.npz")))
    assert given.targets is not None
    assert given.targets.shape == (1, 1)
    assert given.targets.dtype == np.float32  # regression


def test_a_picture_is_normalised_as_the_data_is(fashion: Source) -> None:
    picture = pixels(28, 28)
    Image.fromarray(picture).save("a.png")
    for normalize in (None, "auto", {"mean": 0.3, "std": 0.5}):
        source = type(fashion).model_validate({"normalize": normalize})
        given = inputs(["a.png"], GREY, source=source)
        normalization = source.open(GREY, seed=0).normalization
        mean, std = (normalization.mean[0], normalization.std[0]) if normalization else (0, 1)
        np.testing.assert_allclose(given.x[0, 0], (picture / 255 - mean) / std, atol=1e-6)
        assert given.targets is None
        assert given.pictures[0] is not None
        np.testing.assert_array_equal(given.pictures[0], picture)
    np.testing.assert_array_equal(inputs(["a.png"], GREY).x[0, 0], picture.astype(np.float32) / np.float32(255))


def test_a_picture_is_resized_as_the_data_is(tmp_path: Path) -> None:
    write_pictures(tmp_path / "zoo", {"a": 2, "b": 2})
    Image.new("RGB", (4, 8), "white").save("a.png")
    padded = inputs(["a.png"], (3, 8, 8), source=Folder(path=tmp_path / "zoo", resize="pad"))
    assert padded.x.sum() == 3 * 4 * 8
    assert inputs(["a.png"], (3, 8, 8)).x.sum() == 3 * 8 * 8
    assert padded.pictures[0] is not None
    assert padded.pictures[0].shape == (8, 8, 3)


def test_a_picture_for_a_flat_network() -> None:
    Image.fromarray(pixels(4, 4)).save("a.png")
    np.testing.assert_array_equal(inputs(["a.png"], (16,)).x[0] * 255, pixels(4, 4).ravel())
    assert inputs(["a.png"], (48,)).pictures[0] is not None  # 3 x 4 x 4
    with pytest.raises(DataError, match=r"model.input is \[17\], but pictures need"):
        inputs(["a.png"], (17,))


@pytest.mark.parametrize(
    ("shape", "stored", "count"),
    [
        ((1, 3, 4), (3, 4), 1),
        ((1, 3, 4), (1, 3, 4), 1),
        ((1, 3, 4), (5, 1, 3, 4), 5),
        ((2, 3, 4), (2, 3, 4), 1),
        ((2, 3, 4), (5, 2, 3, 4), 5),
        ((6,), (6,), 1),
        ((6,), (5, 6), 5),
        ((6,), (6, 1), 1),
        ((1, 6), (6,), 1),
        ((2, 6), (5, 2, 6), 5),
    ],
)
def test_arrays_are_fed_as_they_are(shape: tuple[int, ...], stored: tuple[int, ...], count: int) -> None:
    array = np.random.default_rng(0).normal(size=stored)
    array.flat[0] = np.nan  # whoever looks for a NaN must be able to put one in
    np.save("a.npy", array)
    np.savez("a.npz", array)
    named: Any = {"activation/input": array, "other": array}
    np.savez_compressed("b.npz", **named)
    for spec in ("a.npy", "a.npz", "b.npz:activation/input"):
        given = inputs([spec], shape)
        np.testing.assert_array_equal(given.x, array.reshape(count, *shape))
        assert given.x.dtype == np.float64
        assert given.targets is None
        assert given.names == ((spec,) if count == 1 else tuple(f"{spec}[{index}]" for index in range(count)))
        assert (given.pictures[0] is not None) == (len(shape) == 3 and shape[0] == 1)


@pytest.mark.parametrize(
    ("dtype", "expected"), [("u1", "f4"), ("f2", "f4"), (">f4", "f4"), ("i8", "f8"), ("?", "f4"), ("g", "f8")]
)
def test_the_precision_suffices(dtype: str, expected: str) -> None:
    np.save("a.npy", np.ones((2, 2), dtype))
    x = read_array("a.npy", (1, 2, 2))
    assert x.dtype == np.dtype(expected)
    assert x.flags.c_contiguous
    assert x.flags.writeable


@pytest.mark.parametrize(
    ("shape", "stored", "expected"),
    [
        ((1, 3, 4), (4, 3), "(1, 3, 4) or (N, 1, 3, 4) or (3, 4)"),
        ((1, 3, 4), (5, 3, 4), "(1, 3, 4) or (N, 1, 3, 4) or (3, 4)"),
        ((2, 3, 4), (3, 4), "(2, 3, 4) or (N, 2, 3, 4)"),
        ((6,), (5,), "(6) or (N, 6)"),
        ((1,), (2, 2), "(1) or (N, 1)"),
    ],
)
def test_arrays_that_do_not_fit(shape: tuple[int, ...], stored: tuple[int, ...], expected: str) -> None:
    np.save("a.npy", np.ones(stored))
    with pytest.raises(DataError) as caught:
        read_array("a.npy", shape)
    assert str(caught.value) == f"a.npy: has shape {stored}; expected {expected}"


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("1 2\n3 4\n", (1, 2, 2), [[[[1, 2], [3, 4]]]]),
        ("1,2\n3,4", (1, 2, 2), [[[[1, 2], [3, 4]]]]),
        ("\ufeff# a comment\n\n 1 ,\t2\r\n3;4\n".replace(";", " , "), (1, 2, 2), [[[[1, 2], [3, 4]]]]),
        ("1 2\n\n3 4\n\n", (2, 1, 2), [[[[1, 2]], [[3, 4]]]]),
        ("1 2\n# between\n3 4\n\n\n5 6\n7 8", (2, 2, 2), [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]),
        ("-1e-3 +.5 inf", (3,), [[-1e-3, 0.5, np.inf]]),
        ("1 2\n3 4", (2,), [[1, 2], [3, 4]]),
        ("1\n2\n3", (3,), [[1, 2, 3]]),
    ],
)
def test_text(text: str, shape: tuple[int, ...], expected: list[object]) -> None:
    Path("a.txt").write_text(text, encoding="utf-8")
    given = inputs(["a.txt"], shape)
    assert given.x.tolist() == expected
    assert given.x.dtype == np.float64


@settings(deadline=None, max_examples=40)
@given(
    array=arrays.arrays(np.float64, arrays.array_shapes(min_dims=3, max_dims=3, max_side=4)),
    separator=st.sampled_from([" ", ",", "\t", " , "]),
)
def test_text_round_trip(
    array: np.ndarray[tuple[int, int, int], np.dtype[np.float64]],
    separator: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rows = [[separator.join(map(repr, row)) for row in channel] for channel in array.tolist()]
    path = tmp_path_factory.mktemp("text") / "a.csv"
    path.write_text("\n\n".join("\n".join(channel) for channel in rows), encoding="utf-8")
    np.testing.assert_array_equal(read_array(str(path), array.shape)[0], array)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2\n3 x4\n", "a.txt:2:3: 'x4' is no number"),
        ("1 2\n3 1_0\n", "a.txt:2:3: '1_0' is no number"),
        ("1 2\n3\n", "a.txt:2: has 1 numbers; the rows above have 2"),
        ("1 2\n\n3 4\n5 6", "a.txt: the channels have 1, 2 rows; expected the same number in each"),
        ("1,,2", "a.txt:1:3: no number beside the comma"),
        ("1, 2,", "a.txt:1:6: no number beside the comma"),
        (",1", "a.txt:1:1: no number beside the comma"),
        ("# nothing\n\n", "a.txt: holds no numbers; expected rows of numbers"),
        ("", "a.txt: holds no numbers; expected rows of numbers"),
        ("1 \x1b[31m", r"a.txt:1:3: '\x1b[31m' is no number"),
        ("y" * 100, "a.txt:1:1: '" + "y" * 37 + "...' is no number"),
    ],
)
def test_text_that_is_none(text: str, expected: str) -> None:
    Path("a.txt").write_text(text)
    with pytest.raises(DataError) as caught:
        inputs(["a.txt"], (1, 2, 2))
    assert str(caught.value) == expected


def test_several_inputs_of_different_kinds(fashion: Source) -> None:
    Image.fromarray(pixels(28, 28)).save("a.png")
    np.save("a.npy", np.zeros((2, *GREY)))
    given = inputs(["a.png", "a.npy", "test:3"], GREY, source=fashion)
    assert given.names == ("a.png", "a.npy[0]", "a.npy[1]", "test:3")
    assert given.x.shape == (4, *GREY)
    assert given.x.dtype == np.float64
    assert len(given.pictures) == 4
    assert given.targets is None  # not every input has one
    assert inputs(["test:3", "test:4"], GREY, source=fashion).targets is not None


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ([], "no input is given"),
        ([""], ": is a folder; expected a file"),
        (["b.png"], "b.png: no such file; did you mean 'a.png'?"),
        (["no/b.png"], "no/b.png: no such file (nor is there a folder no)"),
        (["folder"], "folder: is a folder; expected a file"),
        (["nul\0.png"], r"nul\x00.png: no such file"),
        (["/dev/null"], "/dev/null: is no regular file"),
        (["x" * 5000], "cannot be read: File name too long"),
        (["valid:3"], "valid:3: no such file"),
        (["two.npz"], "two.npz: has a, b; expected one array, or its name: two.npz:KEY"),
        (["two.npz:activaton"], "two.npz: has no array 'activaton'; it has a, b"),
        (["text.png"], "text.png: is no picture; expected PNG, JPEG, BMP or WebP"),
    ],
)
def test_inputs_that_are_none(specs: list[str], expected: str) -> None:
    Image.fromarray(pixels(28, 28)).save("a.png")
    Path("folder").mkdir()
    Path("text.png").write_text("1 2 3")
    np.savez("two.npz", a=labels(), b=labels())
    with pytest.raises(DataError) as caught:
        inputs(specs, GREY)
    assert expected in str(caught.value)


def test_read_array_takes_numbers_only() -> None:
    with pytest.raises(DataError, match=r"a.png: expected numbers in .npy, .npz, .npz:key or .txt, .csv, .tsv"):
        read_array("a.png", GREY)
