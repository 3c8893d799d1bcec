"""Files that are damaged, hostile or plainly wrong: one clear DataError each, and never anything else."""

from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnncli.data import Source, read_array
from cnncli.data.formats.idx import read_idx
from cnncli.data.formats.npy import npz_keys, read_npz
from cnncli.data.sources.folder import Folder
from cnncli.data.sources.idx import Idx
from cnncli.data.sources.npz import Npz
from cnncli.errors import DataError
from tests.data.makers import (
    idx_bytes,
    inputs,
    labels,
    pixels,
    png_header,
    read_all,
    write_idx,
    write_mnist,
    write_pictures,
)

BAD: dict[str, tuple[Callable[[Path], Source], str]] = {}
"""Name -> who makes the bad data in a folder, and the text expected (a substring) of the error."""


def bad(expected: str) -> Callable[[Callable[[Path], Source]], Callable[[Path], Source]]:
    def register(make: Callable[[Path], Source]) -> Callable[[Path], Source]:
        BAD[make.__name__] = (make, expected)
        return make

    return register


def mnist_with(folder: Path, name: str, content: bytes) -> Source:
    write_mnist(folder)
    (folder / name).write_bytes(content)
    return Idx(path=folder)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
GOOD = idx_bytes(pixels(80, 6, 5))


@bad("train-images-idx3-ubyte: is no IDX file: it starts with 89 50 4e 47; expected 00 00 08 03 or the like")
def idx_is_a_png(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, b"\x89PNG" + GOOD)


@bad("train-images-idx3-ubyte: is no IDX file: it starts with nothing; expected 00 00 08 03")
def idx_is_empty(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, b"")


@bad("train-images-idx3-ubyte: is no IDX file: it starts with 00 00 0a 03")
def idx_of_an_unknown_type(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, b"\0\0\x0a\x03" + GOOD[4:])


@bad("train-images-idx3-ubyte: declares 200 dimensions; expected 1 to 4")
def idx_of_many_dimensions(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, b"\0\0\x08\xc8" + GOOD[4:])


@bad("train-images-idx3-ubyte: ends within its header")
def idx_ends_in_its_header(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, GOOD[:10])


@bad("train-images-idx3-ubyte: holds no numbers: it declares 0 x 28 x 28")
def idx_without_samples(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, b"\0\0\x08\x03" + struct.pack(">3I", 0, 28, 28))


@bad("train-images-idx3-ubyte: the header declares 80 x 6 x 5 uint8 = 2,400 bytes, but 2,000 follow; is the")
def idx_is_cut_short(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, GOOD[:2016])


@bad("train-images-idx3-ubyte: the header declares 80 x 6 x 5 uint8 = 2,400 bytes, but 2,401 follow")
def idx_is_too_long(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, GOOD + b"!")


@bad("the header declares 4294967295 x 4294967295 x 4294967295 uint8 = 79,228,162,458,924,105,385,300,197,375 bytes")
def idx_declares_the_impossible(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, b"\0\0\x08\x03" + b"\xff" * 12 + b"data")


@bad("bytes, more than 66 bytes of gzip can hold")
def gzip_declares_the_impossible(folder: Path) -> Source:
    header = b"\0\0\x08\x03" + struct.pack(">3I", 10**6, 1000, 1000)
    content = gzip.compress(header + bytes(100), mtime=0)
    return mnist_with(folder, IMAGES, content + bytes(66 - len(content)))


@bad("train-images-idx3-ubyte: the header declares 80 x 6 x 5 uint8 = 2,400 bytes, but only 1,984 follow")
def gzip_holds_too_little(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, gzip.compress(GOOD[:2000]))


@bad("= 2,400 bytes, but more follow")
def gzip_bomb_behind_the_data(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, gzip.compress(GOOD + bytes(50_000_000), compresslevel=1))


@bad("train-images-idx3-ubyte: the gzip file is damaged or cut short")
def gzip_is_cut_short(folder: Path) -> Source:
    return mnist_with(folder, IMAGES, gzip.compress(GOOD)[:1000])


@bad("train-images-idx3-ubyte: the gzip file is damaged or cut short: CRC check failed")
def gzip_with_a_wrong_checksum(folder: Path) -> Source:
    content = bytearray(gzip.compress(GOOD))
    content[-8] ^= 1
    return mnist_with(folder, IMAGES, bytes(content))


@bad("train-labels-idx1-ubyte has 79 targets; expected as many")
def a_label_is_missing(folder: Path) -> Source:
    return mnist_with(folder, LABELS, idx_bytes(labels()[:79]))


@bad("train-labels-idx1-ubyte: the target of sample 3 is -1; expected a class number from 0 on")
def a_label_is_negative(folder: Path) -> Source:
    numbers = labels().astype(np.int8)
    numbers[3] = -1
    return mnist_with(folder, LABELS, idx_bytes(numbers))


@bad("train-labels-idx1-ubyte: the class of sample 7 is 9, but data.classes names 3: 0 to 2")
def a_label_without_a_name(folder: Path) -> Source:
    numbers = labels()
    numbers[7] = 9
    source = mnist_with(folder, LABELS, idx_bytes(numbers))
    return source.model_copy(update={"classes": ("a", "b", "c")})


@bad("; expected labels, (N,); are images and labels swapped?")
def images_and_labels_are_swapped(folder: Path) -> Source:
    write_mnist(folder)
    return Idx(images=folder / LABELS, labels=folder / IMAGES)


@bad("train-labels-idx1-ubyte: has shape (80,); expected samples along the first axis")
def labels_in_the_place_of_images(folder: Path) -> Source:
    write_mnist(folder)
    return Idx(images=folder / LABELS, labels=folder / LABELS)


@bad("has no train-labels-idx1-ubyte and no t10k-images-idx3-ubyte (or the same with .gz at its end)")
def standard_files_are_missing(folder: Path) -> Source:
    write_mnist(folder)
    (folder / LABELS).unlink()
    (folder / "t10k-images-idx3-ubyte").unlink()
    return Idx(path=folder)


@bad("/mnist: no such file or folder; correct data.path, as by --set data.path=PATH; did you mean 'minst'?")
def the_folder_is_misspelt(folder: Path) -> Source:
    write_mnist(folder / "minst")
    return Idx(path=folder / "mnist")


@bad("/train-images-idx3-ubyte: is a file; expected a folder")
def a_file_for_a_folder(folder: Path) -> Source:
    write_mnist(folder)
    return Idx(path=folder / IMAGES)


@bad("/train-images-idx3-ubyte: is a folder; expected a file")
def a_folder_for_a_file(folder: Path) -> Source:
    write_mnist(folder)
    (folder / IMAGES).unlink()
    (folder / IMAGES).mkdir()
    return Idx(path=folder)


@bad("/train-images-idx3-ubyte: is no regular file")
def a_pipe_for_a_file(folder: Path) -> Source:
    write_mnist(folder)
    (folder / IMAGES).unlink()
    os.mkfifo(folder / IMAGES)
    return Idx(path=folder)


@bad("/train-images-idx3-ubyte (6, 5); expected the same")
def images_of_another_size_in_test(folder: Path) -> Source:
    write_mnist(folder)
    write_idx(folder / "t10k-images-idx3-ubyte", pixels(12, 4, 4))
    return Idx(path=folder)


def npz_with(folder: Path, **arrays: Any) -> Source:
    np.savez(folder / "a.npz", **{"x": pixels(80, 6, 5), "y": labels(), **arrays})
    return Npz(path=folder / "a.npz")


def npz_of(folder: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Source:
    with zipfile.ZipFile(folder / "a.npz", "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Npz(path=folder / "a.npz")


def npy_bytes(array: object) -> bytes:
    with io.BytesIO() as file:
        np.save(file, np.asarray(array))
        return file.getvalue()


X, Y = npy_bytes(pixels(80, 6, 5)), npy_bytes(labels())


@bad("a.npz: array 'y' holds Python objects (a pickle, which could run code); expected integers, real numbers")
def npz_with_a_pickle(folder: Path) -> Source:
    return npz_with(folder, y=np.array([{"a": 1}] * 80, object))


@bad("a.npz: array 'y' holds dtype <U3; expected integers, real numbers or booleans")
def npz_with_strings(folder: Path) -> Source:
    return npz_with(folder, y=np.array(["cat"] * 80))


@bad("a.npz: array 'x' holds dtype complex128")
def npz_with_complex_numbers(folder: Path) -> Source:
    return npz_with(folder, x=np.ones((80, 6, 5), complex))


@bad("a.npz: array 'x' has shape (0, 6, 5); expected 1 to 32 dimensions, none of them empty")
def npz_without_samples(folder: Path) -> Source:
    return npz_with(folder, x=pixels(0, 6, 5))


@bad("a.npz: y: the target of sample 5 is nan; expected a finite number")
def npz_with_a_target_that_is_nan(folder: Path) -> Source:
    return npz_with(folder, y=np.where(np.arange(80) == 5, np.nan, 1.0))


@bad("a.npz: y: the target of sample 6 is inf; expected a finite number")
def npz_with_a_target_too_large_for_float32(folder: Path) -> Source:
    return npz_with(folder, y=np.where(np.arange(80) == 6, 1e300, 1.0))


@bad("a.npz: y: is a single number; expected one target a sample")
def npz_with_one_target(folder: Path) -> Source:
    return npz_with(folder, y=np.array(3.0))


@bad("a.npz: y: the targets are (4,), but data.classes names 3")
def npz_with_more_columns_than_names(folder: Path) -> Source:
    return npz_with(folder, y=np.ones((80, 4))).model_copy(update={"classes": ("a", "b", "c")})


@bad("a.npz: x_test holds float64, but")
def npz_with_bytes_here_and_numbers_there(folder: Path) -> Source:
    arrays: Any = {
        "x_train": pixels(80, 6, 5),
        "y_train": labels(),
        "x_test": np.ones((9, 6, 5)),
        "y_test": np.ones(9, int),
    }
    np.savez(folder / "a.npz", **arrays)
    return Npz(path=folder / "a.npz")


@bad("a.npz: y_test holds float32, but")
def npz_with_classes_here_and_numbers_there(folder: Path) -> Source:
    arrays: Any = {"x_train": pixels(80, 6, 5), "y_train": labels(), "x_test": pixels(9, 6, 5), "y_test": np.ones(9)}
    np.savez(folder / "a.npz", **arrays)
    return Npz(path=folder / "a.npz")


@bad("a.npz: has a, b; expected x_train/y_train, train_images/train_labels, images/labels, inputs/targets, x/y, or set")
def npz_with_names_of_its_own(folder: Path) -> Source:
    np.savez(folder / "a.npz", a=pixels(80, 6, 5), b=labels())
    return Npz(path=folder / "a.npz")


@bad("a.npz: has no array 'lables'; it has x, labels; did you mean 'labels'?")
def npz_with_a_misspelt_name(folder: Path) -> Source:
    np.savez(folder / "a.npz", x=pixels(80, 6, 5), labels=labels())
    return Npz(path=folder / "a.npz", inputs="x", targets="lables")


@bad("a.npz: has no array 'y_test'; it has x_train, y_train, x_test")
def npz_with_half_a_split(folder: Path) -> Source:
    np.savez(folder / "a.npz", x_train=pixels(80, 6, 5), y_train=labels(), x_test=pixels(9, 6, 5))
    return Npz(path=folder / "a.npz")


@bad("a.npz: is no .npz file, or it is damaged: File is not a zip file")
def npz_is_cut_short(folder: Path) -> Source:
    source = npz_with(folder)
    (folder / "a.npz").write_bytes((folder / "a.npz").read_bytes()[:-100])
    return source


@bad("a.npz: is no .npz file, or it is damaged: Bad CRC-32 for file 'x.npy'")
def npz_with_a_wrong_checksum(folder: Path) -> Source:
    source = npz_of(folder, {"x.npy": X, "y.npy": Y}, zipfile.ZIP_DEFLATED)
    content = bytearray((folder / "a.npz").read_bytes())
    for at in (content.index(b"x.npy") - 16, content.rindex(b"x.npy") - 30):
        content[at] ^= 1
    (folder / "a.npz").write_bytes(content)
    return source


@bad("a.npz: array 'x' is no .npy array, or its header is damaged")
def npz_member_is_no_array(folder: Path) -> Source:
    return npz_of(folder, {"x.npy": b"print('hello')", "y.npy": Y})


@bad("a.npz: array 'x' is no .npy array, or its header is damaged")
def npz_member_has_a_deep_header(folder: Path) -> Source:
    header = b"(" * 5000
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    return npz_of(folder, {"x.npy": content, "y.npy": Y})


@bad("a.npz: array 'x': the header declares (80, 6, 5) uint8 = 2,400 bytes, but 2,300 follow; is the file cut short?")
def npz_member_is_cut_short(folder: Path) -> Source:
    return npz_of(folder, {"x.npy": X[:-100], "y.npy": Y})


@bad("uint8 = 72,000,000,000,000 bytes, but 2,400 follow")
def npz_bomb(folder: Path) -> Source:
    large = X.replace(b"(80, 6, 5)", b"(80, 900000000000,)")
    large = large.replace(b" " * 9, b"", 1)
    return npz_of(folder, {"x.npy": large, "y.npy": Y}, zipfile.ZIP_DEFLATED)


@bad("a.npz: array 'y' is packed in a way that NumPy does not write; store it with np.savez")
def npz_packed_by_bzip2(folder: Path) -> Source:
    return npz_of(folder, {"x.npy": X, "y.npy": Y}, zipfile.ZIP_BZIP2)


@bad("a.npz: has nothing; expected x_train/y_train")
def npz_is_an_empty_archive(folder: Path) -> Source:
    return npz_of(folder, {})


def zoo(folder: Path) -> Source:
    write_pictures(folder, {"ant": 3, "bee": 3})
    return Folder(path=folder)


@bad("/bee: is empty; expected pictures of the class 'bee'")
def folder_with_an_empty_class(folder: Path) -> Source:
    source = zoo(folder)
    for path in (folder / "bee").iterdir():
        path.unlink()
    return source


@bad("/ant/notes.txt: is no picture; expected one of .png .jpg .jpeg .bmp .webp")
def folder_with_a_text_file(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "ant" / "notes.txt").write_text("hello")
    return source


@bad("/ant/more: is a folder inside a class; expected pictures only")
def folder_with_nested_classes(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "ant" / "more").mkdir()
    return source


@bad("has 1 sub-folder; expected two sub-folders or more, one a class, of pictures")
def folder_with_one_class(folder: Path) -> Source:
    write_pictures(folder, {"ant": 3})
    return Folder(path=folder)


@bad("has the picture stray.png in no class; expected two sub-folders or more")
def folder_with_a_picture_outside(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "stray.png").write_bytes((folder / "ant" / "0.png").read_bytes())
    return source


@bad("; put a copy there")
def folder_with_a_link_out_of_it(folder: Path) -> Source:
    source = zoo(folder / "zoo")
    write_pictures(folder, {"secret": 1})
    (folder / "zoo" / "ant" / "9.png").symlink_to(folder / "secret" / "0.png")
    return source


@bad("; put a copy there")
def folder_with_a_class_linked_out_of_it(folder: Path) -> Source:
    source = zoo(folder / "zoo")
    write_pictures(folder, {"secret": 1})
    (folder / "zoo" / "cow").symlink_to(folder / "secret")
    return source


@bad("/ant/9.png: no such file (it is a link to nothing.png, which is not there)")
def folder_with_a_dangling_link(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "ant" / "9.png").symlink_to("nothing.png")
    return source


@bad(r"ant\x1b[2J: is empty; expected pictures of the class 'ant\x1b[2J'")
def folder_with_control_codes_in_a_name(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "ant\x1b[2J").mkdir()
    return source


@bad("; rename the folder")
def folder_with_a_class_that_cannot_be_printed(folder: Path) -> Source:
    write_pictures(folder, {"ant\x1b[2J": 2, "bee": 2})
    return Folder(path=folder)


@bad("sub-folders and data.classes differ in bee, cow; expected the same names")
def folder_with_other_classes_than_told(folder: Path) -> Source:
    return zoo(folder).model_copy(update={"classes": ("ant", "cow")})


@bad("/test: has classes that the training pictures have not: cow")
def folder_with_a_class_only_in_test(folder: Path) -> Source:
    write_pictures(folder / "train", {"ant": 3, "bee": 3})
    write_pictures(folder / "test", {"ant": 3, "cow": 3})
    return Folder(path=folder)


@bad("has both val and validation; expected one of them")
def folder_with_two_validation_splits(folder: Path) -> Source:
    for split in ("train", "val", "validation"):
        write_pictures(folder / split, {"ant": 3, "bee": 3})
    return Folder(path=folder)


@bad("/ant/0.png: has more than 89,478,485 pixels, as a decompression bomb has; shrink it")
def picture_bomb(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "ant" / "0.png").write_bytes(png_header(60_000, 60_000))
    return source


@bad("/ant/0.png: has more than 89,478,485 pixels, as a decompression bomb has; shrink it")
def small_picture_bomb(folder: Path) -> Source:
    source = zoo(folder)
    (folder / "ant" / "0.png").write_bytes(png_header(10_000, 9_000))
    return source


@bad("/ant/0.png: the picture is damaged or cut short")
def picture_is_cut_short(folder: Path) -> Source:
    source = zoo(folder)
    content = (folder / "ant" / "0.png").read_bytes()
    (folder / "ant" / "0.png").write_bytes(content[: len(content) // 2])
    return source


@bad("/ant/0.png: is no picture; expected PNG, JPEG, BMP or WebP")
def picture_is_a_gif(folder: Path) -> Source:
    source = zoo(folder)
    Image.new("L", (2, 2)).save(folder / "ant" / "0.png", format="GIF")
    return source


def test_the_table_is_long_enough() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("name", BAD)
def test_bad_data_gives_one_clear_error(name: str, tmp_path: Path) -> None:
    make, expected = BAD[name]
    source = make(tmp_path)
    with pytest.raises(DataError) as caught:
        read_all(source, (3, 6, 8) if isinstance(source, Folder) else (1, 6, 5))
    assert expected in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert str(caught.value).isprintable()


def test_unreadable_for_lack_of_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    write_mnist(tmp_path)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="labels-idx1-ubyte: cannot be read: Permission denied"):
        Idx(path=tmp_path).open((1, 6, 5), seed=0)


@pytest.mark.parametrize("kind", ["gzip", "npz", "array"])
def test_what_does_not_fit_into_memory_is_refused_first(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnncli.data.files.memory_limit", lambda: 100)
    np.savez_compressed(tmp_path / "a.npz", x=pixels(80, 6, 5), y=labels())
    np.save(tmp_path / "a.npy", pixels(6, 5))
    write_mnist(tmp_path / "mnist", suffix=".gz")
    opened: dict[str, Callable[[], object]] = {
        "gzip": lambda: read_idx(tmp_path / "mnist" / f"{IMAGES}.gz"),
        "npz": lambda: read_npz(tmp_path / "a.npz", "x"),
        "array": lambda: read_array(str(tmp_path / "a.npy"), (1, 6, 5)),
    }
    with pytest.raises(DataError, match=r"needs 0.0 GiB of memory; expected at most 0.0 GiB, half of what there is; "):
        opened[kind]()


FILES: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {}


def _fill_files() -> None:
    with io.BytesIO() as png, io.BytesIO() as jpeg, io.BytesIO() as webp, io.BytesIO() as bmp:
        for file, kind in ((png, "PNG"), (jpeg, "JPEG"), (webp, "WEBP"), (bmp, "BMP")):
            Image.fromarray(pixels(6, 8, 3)).save(file, format=kind)
            FILES[kind] = (
                f"a.{kind.lower()}", file.getvalue(), lambda path: inputs([str(path)], (3, 6, 8)),
            )  # fmt: skip
    for name, compression in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with io.BytesIO() as npz:
            with zipfile.ZipFile(npz, "w", compression) as archive:
                archive.writestr("x.npy", npy_bytes(pixels(6, 5)))
            FILES[name] = (
                "a.npz", npz.getvalue(), lambda path: [read_npz(path, key) for key in npz_keys(path)],
            )  # fmt: skip
    FILES["npy"] = ("a.npy", npy_bytes(pixels(6, 5)), lambda path: read_array(str(path), (1, 6, 5)))
    FILES["idx"] = ("a", idx_bytes(pixels(4, 3)), read_idx)
    FILES["idx.gz"] = ("a", gzip.compress(idx_bytes(pixels(4, 3))), read_idx)
    FILES["text"] = ("a.txt", b"1 2 3\n4 5 6\n\n7 8 9\n1 2 3\n", lambda path: read_array(str(path), (2, 2, 3)))


_fill_files()


@settings(deadline=None, max_examples=40)
@given(
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=0, max_size=3)), max_size=4),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # NumPy's, of a header that it mends
@pytest.mark.parametrize("kind", FILES)
def test_garbled_files_are_read_or_refused(
    kind: str, edits: list[tuple[float, bytes]], keep: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, original, read = FILES[kind]
    content = bytearray(original[: int(keep * len(original))])
    for place, bytes_ in edits:
        at = int(place * len(content))
        content[at : at + len(bytes_)] = bytes_
    path = tmp_path_factory.mktemp("garbled") / name
    path.write_bytes(content)
    message = ""
    try:
        read(path)
    except DataError as error:
        message = str(error)
    assert not message or name in message


def test_huge_declarations_cost_no_memory(tmp_path: Path) -> None:
    """Within 1 GiB of address space beyond what the imports take, every bomb of the table is refused."""
    script = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from typing import Any
from tests.data import test_bad_files as bad
from cnncli.errors import DataError
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30),) * 2)
for name in ("idx_declares_the_impossible", "gzip_declares_the_impossible", "npz_bomb", "picture_bomb"):
    folder = Path({str(tmp_path)!r}) / name
    folder.mkdir()
    source = bad.BAD[name][0](folder)
    try:
        bad.read_all(source, (3, 6, 8) if name == "picture_bomb" else (1, 6, 5))
    except DataError:
        print(name)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == [
        "idx_declares_the_impossible", "gzip_declares_the_impossible", "npz_bomb", "picture_bomb",
    ]  # fmt: skip
