"""Makes everything in this folder from its sources; the same sources give the same files.

    python samples/make_samples.py FASHION_MNIST [--mnist MNIST] [--photographs SKIMAGE_DATA] [--out DIR]

FASHION_MNIST is the folder with the four .gz files of Fashion-MNIST: Debian's package dataset-fashion-mnist
puts it at /usr/share/datasets/fashion-mnist. MNIST is the same for MNIST; without it the digits are left as they are.
SKIMAGE_DATA is the folder skimage/data of scikit-image, from
PyPI; without it the photographs are left as they are. Run it where cnncli is installed.
"""

from __future__ import annotations

import argparse
import gzip
import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnncli.data.formats.idx import read_idx
from cnncli.data.sources.embedded import GARMENTS

PER_CLASS = {"train": 500, "t10k": 100}
DIGITS_PER_CLASS = {"train": 300, "t10k": 50}
PICTURES = ("Ankle boot", "Bag", "Dress", "Pullover", "Trouser")
PHOTOGRAPHS = {"cat": "chelsea.png", "coffee": "coffee.png"}
LONGEST_SIDE = 256

Bytes = NDArray[np.uint8]


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description="Make the samples that come with cnncli.")
    parser.add_argument("fashion_mnist", type=Path, help="folder of Fashion-MNIST's four .gz files")
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's four .gz files")
    parser.add_argument("--photographs", type=Path, help="folder skimage/data of scikit-image")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    arguments = parser.parse_args()
    images, labels = write_part(arguments.fashion_mnist, arguments.out / "fashion-mini", PER_CLASS)
    write_pictures(images, labels, arguments.out)
    if arguments.mnist:
        write_part(arguments.mnist, arguments.out / "mnist-mini", DIGITS_PER_CLASS)
    if arguments.photographs:
        write_photographs(arguments.photographs, arguments.out)
    write_grids(arguments.out)


def write_part(source: Path, out: Path, per_class: dict[str, int]) -> tuple[Bytes, Bytes]:
    """The first images of every class, in the order of the source, as IDX; returns the test images and labels."""
    out.mkdir(parents=True, exist_ok=True)
    for part, count in per_class.items():
        names = [f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"]
        images, labels = (read_idx(source / name) for name in names)
        rows = np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(10)]))
        for name, array in zip(names, (images[rows], labels[rows]), strict=True):
            write_idx(out / name, array)
    return images[rows], labels[rows]


def write_pictures(images: Bytes, labels: Bytes, out: Path) -> None:
    """Some of the images as PNG, the first of its class each."""
    for garment in PICTURES:
        first = np.flatnonzero(labels == GARMENTS.index(garment))[0]
        Image.fromarray(images[first]).save(out / f"{garment.lower().replace(' ', '-')}.png", optimize=True)


def write_idx(path: Path, array: Bytes) -> None:
    """IDX of bytes, gzipped without name and time, so that equal data gives equal files."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 0x08, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=9, mtime=0))


def write_photographs(source: Path, out: Path) -> None:
    """The photographs, at most LONGEST_SIDE wide and high, as JPEG."""
    for name, file in PHOTOGRAPHS.items():
        with Image.open(source / file) as image:
            photograph = image.convert("RGB")
        photograph.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        photograph.save(out / f"{name}.jpg", quality=90, optimize=True)


def write_grids(out: Path) -> None:
    """The small grids of the worked examples, which one can follow by hand."""
    write_grid(out / "grid3x3.txt", np.arange(1, 10).reshape(1, 3, 3))
    write_grid(out / "grid4x4.txt", np.arange(16).reshape(1, 4, 4))
    write_grid(out / "grid5x5.txt", np.arange(1, 26).reshape(1, 5, 5))
    write_grid(out / "grid2x4x4.txt", np.arange(32).reshape(2, 4, 4))
    np.save(out / "grid3x3.npy", np.arange(1, 10, dtype=np.float32).reshape(3, 3))


def write_grid(path: Path, grid: NDArray[np.int_]) -> None:
    """(C, H, W) as text: one line a row, an empty line between channels."""
    with io.StringIO() as text:
        for index, channel in enumerate(grid):
            text.write("\n" if index else "")
            np.savetxt(text, channel, fmt="%d")
        path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
