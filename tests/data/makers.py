"""Writes small data sets, by means other than the code under test, and reads inputs as a session does."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnncli.data import Dataset, Input, Source, resolve

COUNTS = (40, 25, 15)
"""How many samples each of the three classes has."""

IDX_CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def labels(counts: tuple[int, ...] = COUNTS, seed: int = 0) -> NDArray[np.uint8]:
    numbers = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    return np.random.default_rng(seed).permutation(numbers)


def pixels(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def idx_bytes(array: NDArray[Any]) -> bytes:
    header = bytes([0, 0, IDX_CODES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_idx(path: Path, array: NDArray[Any]) -> Path:
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def write_mnist(folder: Path, *, suffix: str = "", dot: bool = False, test: bool = True) -> Path:
    """The four files, or the first two, of a miniature MNIST with samples 6x5."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"train": COUNTS, "t10k": (5, 4, 3)} if test else {"train": COUNTS}
    for seed, (part, counts) in enumerate(parts.items()):
        join = "." if dot else "-"
        write_idx(folder / f"{part}-images{join}idx3-ubyte{suffix}", pixels(sum(counts), 6, 5, seed=seed))
        write_idx(folder / f"{part}-labels{join}idx1-ubyte{suffix}", labels(counts, seed))
    return folder


def write_pictures(
    folder: Path, counts: dict[str, int], *, size: tuple[int, int] = (8, 6), suffix: str = ".png"
) -> Path:
    """`counts[name]` colour pictures in the sub-folder `name`; size is (width, height)."""
    for seed, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index, array in enumerate(pixels(count, size[1], size[0], 3, seed=seed)):
            Image.fromarray(array).save(folder / name / f"{index}{suffix}")
    return folder


def write_list(folder: Path, name: str = "list.csv", *, columns: str = "path,label") -> Path:
    """A CSV file that lists COUNTS pictures (8 x 6, colour) of an ant, a bee and a cow, shuffled."""
    write_pictures(folder / "pictures", {"all": sum(COUNTS)})
    words = np.array(["ant", "bee", "cow"])[labels()]
    lines = [f"pictures/all/{index}.png,{word}" for index, word in enumerate(words)]
    (folder / name).write_text("\n".join([columns, *lines]) + "\n")
    return folder / name


def write_cifar(folder: Path, *, fine: bool = False) -> Path:
    """COUNTS training and 12 test pictures in the binary files of CIFAR-10, or of CIFAR-100 with its two labels."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.array_split(labels(), 1 if fine else 5)
    names = ["train.bin"] if fine else [f"data_batch_{number}.bin" for number in range(1, 6)]
    parts = dict(zip(names, numbers, strict=True)) | {"test.bin" if fine else "test_batch.bin": labels((5, 4, 3))}
    for seed, (name, classes) in enumerate(parts.items()):
        columns = [classes // 2, classes] if fine else [classes]
        content = np.column_stack([*columns, pixels(len(classes), 3072, seed=seed)])
        (folder / name).write_bytes(content.astype(np.uint8).tobytes())
    return folder


def png_header(width: int, height: int) -> bytes:
    """A grey PNG that declares this size and holds next to nothing."""
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(b"\0"),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )


def read_all(source: Source, shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """The inputs of every split."""
    return {name: split.inputs for name, split in source.open(shape, seed=0).splits.items()}


def inputs(specs: Sequence[str], shape: tuple[int, ...], source: Source | None = None, seed: int = 0) -> Input:
    """What the specs mean for a network that takes `shape`, with the source as its data."""

    def opened() -> Dataset:
        assert source is not None
        return source.open(shape, seed=seed)

    return resolve(specs, shape, source, opened)
