from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cnncli.data.display import to_picture
from cnncli.data.formats import decoding
from cnncli.data.formats.picture import SUFFIXES, read_pictures
from cnncli.data.formats.resize import Resize
from cnncli.errors import DataError
from tests.data.makers import pixels


def read(path: Path, shape: tuple[int, ...], resize: Resize = "stretch") -> NDArray[np.uint8]:
    (picture,) = read_pictures([path], shape, resize)
    return np.asarray(picture)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format(tmp_path: Path, suffix: str) -> None:
    array = np.full((6, 8, 3), (200, 100, 50), np.uint8)
    Image.fromarray(array).save(tmp_path / f"a{suffix}")
    picture = read(tmp_path / f"a{suffix}", (3, 6, 8))
    assert np.abs(picture.astype(int) - array.transpose(2, 0, 1)).max() <= 4  # JPEG and WebP lose a little


def test_colour_becomes_grey_by_luma_and_grey_becomes_colour(tmp_path: Path) -> None:
    Image.fromarray(pixels(4, 4, 3)).save(tmp_path / "colour.png")
    luma = pixels(4, 4, 3) @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    assert np.abs(read(tmp_path / "colour.png", (1, 4, 4))[0] - luma).max() <= 1
    Image.fromarray(pixels(4, 4)).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read(tmp_path / "grey.png", (3, 4, 4)), np.stack([pixels(4, 4)] * 3))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_the_transparent_shows_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 0, 255))
    image.convert(mode).save(tmp_path / "a.png")
    for channels in (1, 3):
        assert read(tmp_path / "a.png", (channels, 2, 2))[0].tolist() == [[0, 255], [255, 255]]


def test_half_transparent_black_is_grey(tmp_path: Path) -> None:
    Image.new("RGBA", (1, 1), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", (1, 1, 1)).item() == 127


def test_sixteen_bits_keep_their_upper_half(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 0x80FF], [0xFFFF, 0x0100]], np.uint16)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", (1, 2, 2))[0].tolist() == [[0, 128], [255, 1]]


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_pictures_stand_upright(tmp_path: Path, orientation: int, turn: int) -> None:
    array = pixels(4, 6, seed=2)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    expected = np.rot90(array, turn)
    np.testing.assert_array_equal(read(tmp_path / "a.png", (1, *expected.shape))[0], expected)


def test_resize(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 200  # black, light, black
    Image.fromarray(wide).save(tmp_path / "a.png")
    cropped = read(tmp_path / "a.png", (1, 10, 10), "crop")[0]
    assert (cropped == 200).all()
    padded = read(tmp_path / "a.png", (1, 30, 30), "pad")[0]
    np.testing.assert_array_equal(padded, np.pad(wide, ((10, 10), (0, 0))))
    stretched = read(tmp_path / "a.png", (1, 10, 3), "stretch")[0]
    assert stretched[0].tolist() == [29, 150, 29]  # triangle windows: (1/8) / (7/8), 3/4


def test_shrinking_does_not_alias(tmp_path: Path) -> None:
    stripes = np.tile(np.array([[0, 255]], np.uint8), (64, 32))
    Image.fromarray(stripes).save(tmp_path / "a.png")
    assert np.abs(read(tmp_path / "a.png", (1, 8, 8)).astype(int) - 127.5).max() < 5


def test_a_big_jpeg_decoded_small_looks_the_same(tmp_path: Path) -> None:
    wave = (np.sin(np.linspace(0, 20, 900))[:, None] * np.cos(np.linspace(0, 15, 1200)) * 100 + 128).astype(np.uint8)
    Image.fromarray(wave).save(tmp_path / "a.jpg", quality=95)
    Image.fromarray(wave).save(tmp_path / "a.png")
    difference = read(tmp_path / "a.jpg", (1, 24, 32)).astype(int) - read(tmp_path / "a.png", (1, 24, 32))
    assert np.abs(difference).max() <= 4


@settings(deadline=None, max_examples=60)
@example(width=15, height=2, shape=(1, 1, 11), resize="crop", suffix=".png")
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    shape=st.tuples(st.sampled_from([1, 3]), st.integers(1, 12), st.integers(1, 12)),
    resize=st.sampled_from(["stretch", "crop", "pad"]),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_size_to_any_size(
    width: int,
    height: int,
    shape: tuple[int, int, int],
    resize: Resize,
    suffix: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    Image.new("RGB", (width, height), "white").save(path)
    picture = read(path, shape, resize)
    assert picture.shape == shape
    assert picture.max() >= 250
    if resize != "pad":
        assert picture.min() >= 250


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (np.array([[[0, 7]]], np.uint8), [[0, 7]]),
        (np.array([[[0.0, 0.5, 1.0]]]), [[0, 128, 255]]),
        (np.array([[[0.0, 0.5]]]), [[0, 128]]),  # within 0..1: brightness
        (np.array([[[-1.0, 0.0, 1.0]]]), [[0, 128, 255]]),  # else stretched
        (np.array([[[4.0, 4.0]]]), [[0, 0]]),
        (np.array([[[np.nan, 1.0, np.inf]]]), [[0, 255, 0]]),
        (np.array([[[-1e308, 1e308]]]), [[0, 255]]),
        (np.array([[[0]], [[100]]], np.uint8), [[50]]),  # two channels: their mean
        (np.array([1, 2, 3], np.uint8), [[1, 2, 3]]),
        (np.array([[1, 2], [3, 4]], np.uint8), [[1, 2], [3, 4]]),
        (np.array([[[1]], [[2]], [[3]]], np.uint8), [[[1, 2, 3]]]),
    ],
)
def test_to_picture(sample: NDArray[Any], expected: list[object]) -> None:
    picture = to_picture(sample)
    assert picture.dtype == np.uint8
    assert picture.tolist() == expected


@pytest.mark.parametrize(
    ("sample", "like", "expected"),
    [
        (np.array([[[0.0, 127.6, 300.0]]]), np.zeros((1, 1, 1), np.uint8), [[0, 128, 255]]),
        (np.array([[[0.25, 2.0]]]), np.array([[[0.0, 0.5]]]), [[64, 255]]),
        (np.array([[[-3.0, 1.0, 5.0]]]), np.array([[[-1.0, 3.0]]]), [[0, 128, 255]]),
        (np.array([[[0, 100]]], np.uint8), np.array([[[0.0, 255.0]], [[2.0, 2.0]]]), [[0, 100]]),
        (np.array([50.0, 100.0]), np.array([0, 0], np.uint8), [[50, 100]]),
    ],
)
def test_to_picture_as_bright_as_another(sample: NDArray[Any], like: NDArray[Any], expected: list[object]) -> None:
    assert to_picture(sample, like).tolist() == expected


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "cannot be read: Too many open files"),
        (OSError(errno.EINVAL, "Invalid argument"), "the picture is damaged or cut short: "),
        (OSError("image file is truncated"), "the picture is damaged or cut short: image file is truncated"),
        (MemoryError(), "there is not enough memory to decode it"),
    ],
)
def test_what_is_no_fault_of_the_picture_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    Image.fromarray(pixels(6, 8, 3)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "resize", fail)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.png", (3, 4, 4))
    assert str(caught.value).startswith(f"{tmp_path}/a.png: {message}")


def test_the_size_in_the_file(tmp_path: Path) -> None:
    Image.fromarray(pixels(6, 8, 3)).save(tmp_path / "a.png")
    assert decoding.size_of(tmp_path / "a.png") == (8, 6)
    with pytest.raises(DataError, match=r"b\.png: no such file"):
        decoding.size_of(tmp_path / "b.png")
