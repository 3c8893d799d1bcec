"""IDX, the format of MNIST and its family, plain or gzipped.

    00 00 TT DD      two zero bytes, the type of the numbers, the number of dimensions
    DD x uint32      the dimensions, big-endian
    ...              the numbers, big-endian, row by row

Source: the description at the end of LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import existing_file, fill, reading, require_memory
from cnncli.errors import DataError
from cnncli.wording import printable

_TYPES = {0x08: "u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 4
_GZIP_MAGIC = b"\x1f\x8b"
_DEFLATE_RATIO = 1032  # no deflate stream expands by more (zlib's technical notes)


@dataclass(frozen=True)
class _Header:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    length: int

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"the header declares {' x '.join(map(str, self.shape))} {self.dtype.name} = {self.size:,} bytes"


def read_idx(path: Path) -> NDArray[Any]:
    """The array in the file: memory-mapped where plain, read into memory where gzipped.

    The declared size is compared with the file's before anything is allocated.
    """
    existing_file(path)
    with reading(path), path.open("rb") as file:
        compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        return _unpack(path, file) if compressed else _map(path, file)


def _map(path: Path, file: IO[bytes]) -> NDArray[Any]:
    header = _read_header(path, file)
    size = os.fstat(file.fileno()).st_size - header.length
    if size != header.size:
        raise DataError(f"{printable(path)}: {header}, but {size:,} follow; is the file cut short or not IDX?")
    return np.asarray(np.memmap(path, header.dtype, "r", header.length, header.shape))


def _unpack(path: Path, file: IO[bytes]) -> NDArray[Any]:
    try:
        with cast(IO[bytes], gzip.GzipFile(fileobj=file)) as stream:
            header = _read_header(path, stream)
            packed = os.fstat(file.fileno()).st_size
            if header.size > packed * _DEFLATE_RATIO:
                raise DataError(f"{printable(path)}: {header}, more than {packed:,} bytes of gzip can hold")
            require_memory(header.size, printable(path), "unpack it: a plain file is memory-mapped")
            array = np.empty(header.shape, header.dtype)
            filled = fill(array, stream)
            if filled != header.size:
                raise DataError(f"{printable(path)}: {header}, but only {filled:,} follow; is the file cut short?")
            if stream.read(1):  # at the end of the stream this also verifies its checksum
                raise DataError(f"{printable(path)}: {header}, but more follow")
            return array
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{printable(path)}: the gzip file is damaged or cut short: {error}") from error


def _read_header(path: Path, stream: IO[bytes]) -> _Header:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
        given = start.hex(" ") or "nothing"
        raise DataError(f"{printable(path)}: is no IDX file: it starts with {given}; expected 00 00 08 03 or the like")
    dimensions = start[3]
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise DataError(f"{printable(path)}: declares {dimensions} dimensions; expected 1 to {_MOST_DIMENSIONS}")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(f"{printable(path)}: ends within its header; is the file cut short?")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise DataError(f"{printable(path)}: holds no numbers: it declares {' x '.join(map(str, shape))}")
    return _Header(np.dtype(_TYPES[start[2]]), shape, 4 + 4 * dimensions)
