"""The binary version of CIFAR: records of one or two labels and 3 x 32 x 32 bytes, red, green and blue.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", and the page of the data set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import existing_file, reading
from cnncli.errors import DataError
from cnncli.wording import printable

SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_MOST_NAMES = 1 << 16  # bytes


def read_cifar(path: Path, labels: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pictures, (N, 3, 32, 32), and labels, (N, labels), of a file, memory-mapped. Raises DataError."""
    existing_file(path)
    record = labels + _PIXELS
    with reading(path):
        size = path.stat().st_size
        if not size or size % record:
            expected = f"a multiple of {record:,}: {labels} of labels and {_PIXELS:,} of pixels a picture"
            raise DataError(f"{printable(path)}: has {size:,} bytes; expected {expected}; is the file cut short?")
        records = np.asarray(np.memmap(path, np.uint8, "r", shape=(size // record, record)))
    return records[:, labels:].reshape(-1, *SHAPE), records[:, :labels]


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file, one a line. Raises DataError."""
    existing_file(path)
    with reading(path), open(path, "rb") as file:
        content = file.read(_MOST_NAMES)
    return tuple(line for line in content.decode(errors="replace").splitlines() if line)
