"""CSV lists, .npy pairs and CIFAR folders that are damaged, hostile or plainly wrong: one clear error each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnncli.data import Source
from cnncli.data.sources.cifar import Cifar10, Cifar100
from cnncli.data.sources.csv import Csv
from cnncli.data.sources.npy import Npy
from cnncli.errors import DataError
from tests.data.makers import labels, pixels, read_all, write_cifar, write_pictures

GOOD = "path,label\np/0.png,cat\np/1.png,dog\n"

LISTS: dict[str, tuple[str, str]] = {
    "a misspelt split": (
        "path,label,split\np/0.png,cat,train\np/1.png,dog,trian\n",
        "a.csv:3: the split is 'trian'; expected train, val or test; did you mean 'train'?",
    ),
    "no line for training": ("path,label,split\np/0.png,cat,test\n", "a.csv: has no line whose split is train"),
    "no line of names": (
        "p/0.png,cat\np/1.png,dog\n",
        "a.csv:1: begins with the picture 'p/0.png'; expected a line of column names before the pictures",
    ),
    "nothing": ("", "a.csv:1: expected the names of the columns, as in path,label"),
    "one column": ("path\np/0.png\n", "a.csv:1: expected the names of the columns, as in path,label"),
    "semicolons": ("path;label\np/0.png;cat\n", "a.csv:1: has semicolons between its fields; expected commas"),
    "a name twice": ("path,x,x\np/0.png,1,2\n", "a.csv:1: has two columns 'x'; rename one"),
    "names alone": ("path,label\n", "a.csv: has no line after the names of the columns; expected one for each"),
    "only a split": ("path,split\np/0.png,train\n", "a.csv:1: has no column of targets; expected one beside the paths"),
    "a field too many": (GOOD + "p/2.png,cat,x\n", "a.csv:4: has 3 fields; line 1 names 2 columns"),
    "an open quote": (GOOD + '"p/2.png,cat\n', "a.csv:4: is no CSV: unexpected end of data"),
    "no label": (GOOD + "p/2.png,\n", "a.csv:4: has no 'label'"),
    "no path": (GOOD + ",cat\n", "a.csv:4: has no path of a picture"),
    "a picture that is not there": (GOOD + "p/x.png,cat\n", "a.csv:4: {base}/data/p/x.png: no such file"),
    "a folder": (GOOD + "p,cat\n", "a.csv:4: {base}/data/p: is a folder; expected a file"),
    "a text": (GOOD + "a.csv,cat\n", "a.csv:4: {base}/data/a.csv: is no picture; expected PNG, JPEG, BMP or WebP"),
    "a path out of the folder": (
        GOOD + "../secret/0.png,cat\n",
        "a.csv:4: {base}/data/../secret/0.png: leads out of {base}/data; put a copy there",
    ),
    "an absolute path out of the folder": (
        GOOD + "{base}/secret/0.png,cat\n",
        "a.csv:4: {base}/secret/0.png: leads out of {base}/data; put a copy there",
    ),
    "a link out of the folder": (GOOD + "link.png,cat\n", "a.csv:4: {base}/data/link.png: leads out of {base}/data;"),
    "a linked folder": (GOOD + "linked/0.png,cat\n", "a.csv:4: {base}/data/linked/0.png: leads out of {base}/data;"),
    "a zero byte": (GOOD + "p/\0.png,cat\n", "a.csv:4: "),
    "a number among words": (
        GOOD + "p/2.png,7\n",
        "a.csv:4: '7' is a number, but 'cat' in line 2 is no number; if they are names of classes, list them in",
    ),
    "a word among numbers": (
        "path,x\np/0.png,0.5\np/1.png,high\n",
        "a.csv:3: 'high' is no number, but '0.5' in line 2 is a number; if they are names",
    ),
    "a word in one of two columns": (
        "path,x,y\np/0.png,1,2\np/1.png,1,b\n",
        "a.csv:3: 'y' is 'b'; expected a finite number",
    ),
    "infinity": ("path,x\np/0.png,0.5\np/1.png,inf\n", "a.csv:3: 'x' is 'inf'; expected a finite number"),
    "a number beyond float32": ("path,x\np/0.png,0.5\np/1.png,1e39\n", "a.csv:3: 'x' is '1e39'; expected a finite"),
    "control codes": ("path,label\np/0.png,\x1b[2J\np/1.png,b\n", "cannot be printed; correct it in the file"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_bad_list_gives_one_error_with_its_line(name: str, tmp_path: Path) -> None:
    text, expected = LISTS[name]
    data = tmp_path / "data"
    write_pictures(data, {"p": 3})
    write_pictures(tmp_path, {"secret": 1})
    (data / "link.png").symlink_to(tmp_path / "secret" / "0.png")
    (data / "linked").symlink_to(tmp_path / "secret")
    (data / "a.csv").write_text(text.replace("{base}", str(tmp_path)))
    refused(Csv(path=data / "a.csv"), (3, 6, 8), expected.replace("{base}", str(tmp_path)), tmp_path)


def refused(source: Source, shape: tuple[int, ...], expected: str, base: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_all(source, shape)
    assert expected in str(caught.value)
    assert str(base) in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"image": "file"}, "a.csv:1: has no column 'file'; it has path, label; correct data.image"),
        (
            {"targets": ("lable",)},
            "a.csv:1: has no column 'lable'; it has path, label; did you mean 'label'?; correct data.targets",
        ),
        ({"classes": ("cat", "dgo")}, "a.csv:3: the class 'dog' is none of data.classes; did you mean 'dgo'?"),
    ],
)
def test_options_that_do_not_fit_the_list(options: dict[str, object], expected: str, tmp_path: Path) -> None:
    write_pictures(tmp_path, {"p": 3})
    (tmp_path / "a.csv").write_text(GOOD)
    refused(Csv(path=tmp_path / "a.csv").model_copy(update=options), (3, 6, 8), expected, tmp_path)


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"path,label\n\xff\xfe\n")
    refused(Csv(path=tmp_path / "a.csv"), (3, 6, 8), "a.csv: is no text in UTF-8: invalid start byte", tmp_path)


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"p": 2})
    (tmp_path / "q").symlink_to(tmp_path / "p")
    (tmp_path / "a.csv").write_text(f"path,label\nq/0.png,cat\n{tmp_path}/p/1.png,dog\n")
    assert len(Csv(path=tmp_path / "a.csv", validation=0).open((3, 6, 8), seed=0).train) == 2


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"p": 1})
    lines = [f"p/{index}.png,{'cat' if index % 2 else 'dog'}" for index in range(26)]
    (tmp_path / "a.csv").write_text("\n".join(["path,label", *lines]))
    with pytest.raises(DataError) as caught:
        Csv(path=tmp_path / "a.csv").open((3, 6, 8), seed=0)
    listed = str(caught.value).splitlines()
    assert listed[0].startswith(f"{tmp_path}/a.csv:3: {tmp_path}/p/1.png: no such file")
    assert listed[20:] == ["... and 5 more"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "fine", "expected"),
    [
        (lambda base: cut(base / "data_batch_3.bin"), False, "data_batch_3.bin: has 49,167 bytes; expected a multiple"),
        (
            lambda base: cut(base / "train.bin"),
            True,
            "train.bin: has 245,919 bytes; expected a multiple of 3,074: 2 of",
        ),
        (lambda base: (base / "test.bin").write_bytes(b""), True, "test.bin: has 0 bytes; expected a multiple of"),
        (
            lambda base: [(base / f"data_batch_{number}.bin").unlink() for number in (2, 4)],
            False,
            "has no data_batch_2.bin and no data_batch_4.bin; expected the binary version",
        ),
        (
            lambda base: (base / "batches.meta.txt").write_text("a\nb\n"),
            False,
            "but data.classes names 2: 0 to 1",
        ),
        (
            lambda base: (base / "fine_label_names.txt").write_text("a\na\nc\n"),
            True,
            "fine_label_names.txt: class 1 has the same name as class 0, 'a'; correct it in the file",
        ),
    ],
)
def test_a_bad_cifar_folder(spoil: Callable[[Path], object], fine: bool, expected: str, tmp_path: Path) -> None:
    write_cifar(tmp_path, fine=fine)
    spoil(tmp_path)
    refused((Cifar100 if fine else Cifar10)(path=tmp_path), (3, 32, 32), expected, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.npy", b"\x93NUMPY", "x.npy is no .npy array, or its header is damaged"),
        ("x.npy", b"", "x.npy is no .npy array, or its header is damaged"),
        ("y.npy", b"cut", "y.npy: the header declares (80,) uint8 = 80 bytes, but 79 follow; is the file cut short?"),
        ("y.npy", b"few", "x.npy has 80 samples, but {base}/y.npy has 79 targets; expected as many"),
        ("y.npy", b"pickle", "y.npy holds Python objects (a pickle, which could run code); expected integers"),
    ],
)
def test_bad_npy_files(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pixels(80, 6, 5))
    np.save(tmp_path / "y.npy", labels())
    match content:
        case b"cut":
            cut(tmp_path / name)
        case b"few":
            np.save(tmp_path / name, labels()[1:])
        case b"pickle":
            np.save(tmp_path / name, np.array([{}] * 80), allow_pickle=True)
        case _:
            (tmp_path / name).write_bytes(content)
    source = Npy(inputs=tmp_path / "x.npy", targets=tmp_path / "y.npy")
    refused(source, (1, 6, 5), expected.replace("{base}", str(tmp_path)), tmp_path)
