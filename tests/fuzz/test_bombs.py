"""Small files that would take much time or memory: one clear error each, before the harm is done."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cnncli.config
from cnncli.data import read_array
from cnncli.data.formats.picture import read_pictures
from cnncli.errors import CnncliError
from cnncli.graph import Model
from cnncli.training.checkpoint import load_weights
from tests.fuzz.pictures import PNG, chunk
from tests.training.networks import convnet


def png(width: int, height: int, depth: int, colour: int, *others: bytes) -> bytes:
    """A PNG of zeros, with other chunks before its pixels."""
    samples = {0: 1, 2: 3, 6: 4}[colour]
    row = bytes(1 + width * depth * samples // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + b"".join(others) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    with io.BytesIO() as file:
        Image.fromarray(np.zeros((side, side), np.uint8)).save(file, "JPEG", progressive=True)
        content = file.getvalue()
    last = content[content.rindex(b"\xff\xc4", 0, content.rindex(b"\xff\xda")) : -2]
    return content[:-2] + last * scans + content[-2:]


def beyond_the_file() -> bytes:
    """A tensor of 400 TB in four bytes."""
    header = b'{"a":{"dtype":"F32","shape":[999999999,99999],"data_offsets":[0,4]}}'
    return struct.pack("<Q", len(header)) + header + b"abcd"


def picture(path: Path) -> object:
    return read_pictures([path], (3, 6, 8), "stretch")


def numbers(path: Path) -> object:
    return read_array(str(path), (1, 6, 5))


def weights(path: Path) -> object:
    return load_weights(path, Model.create(convnet(), seed=0))


TEXT = zlib.compress(bytes(80_000_000), 9)
BOMBS: dict[str, tuple[str, Callable[[], bytes], Callable[[Path], object], str]] = {
    "large and clear": ("a.png", lambda: png(6000, 6000, 8, 6), picture, "has 6,000 x 6,000 pixels; expected at most"),
    "large and deep": ("a.png", lambda: png(6000, 6000, 16, 0), picture, "has 6,000 x 6,000 pixels; expected at most"),
    "scans": ("a.jpg", lambda: many_scans(2000, 400), picture, "has 2,000 x 2,000 pixels in 40"),
    "zTXt": ("a.png", lambda: png(8, 8, 8, 0, chunk(b"zTXt", b"k\0\0" + TEXT)), picture, "is damaged or cut short"),
    "iTXt": (
        "a.png", lambda: png(8, 8, 8, 0, chunk(b"iTXt", b"k\0\1\0\0\0" + TEXT)), picture, "is damaged or cut short",
    ),
    "text": ("a.txt", lambda: b"1\n" * (2 << 20), numbers, "4,194,304 bytes of text; expected at most 2,097,152"),
    "yaml": ("a.yaml", lambda: b"a: " + b"x" * (17 << 20), cnncli.config.load, "larger than 16 MiB"),
    "safetensors header": (
        "a.safetensors", lambda: struct.pack("<Q", 2**62) + b"{}", weights, "is damaged or no safetensors file",
    ),
    "safetensors shape": ("a.safetensors", beyond_the_file, weights, "is damaged or no safetensors file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name: str, tmp_path: Path) -> None:
    file, make, read, expected = BOMBS[name]
    path = tmp_path / file
    path.write_bytes(make())
    with pytest.raises(CnncliError) as caught:
        read(path)
    assert expected in str(caught.value)
    assert file in str(caught.value)
    assert str(caught.value).isprintable()
