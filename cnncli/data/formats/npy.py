"""NumPy's .npy and .npz, without pickles, memory-mapped wherever the bytes lie in the file as they are.

An uncompressed member of a .npz (that is a zip archive) is a .npy file at some offset, so it can be mapped
like one; NumPy itself reads it into memory.
"""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from cnncli.data.files import existing_file, fill, reading, require_memory
from cnncli.errors import DataError
from cnncli.wording import did_you_mean, printable

_SUFFIX = ".npy"
_ENCRYPTED = 0x1
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, UnicodeDecodeError)
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of the name, length of the extra field
_MOST_DIMENSIONS = 32
_PIECE = 1 << 20


@dataclass(frozen=True)
class _Header:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    length: int

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def order(self) -> Any:
        return "F" if self.fortran else "C"

    def require_size(self, size: int, where: str) -> None:
        """`size` bytes follow the header."""
        if size != self.size:
            declared = f"the header declares {self.shape} {self.dtype.name} = {self.size:,} bytes"
            raise DataError(f"{where}: {declared}, but {size:,} follow; is the file cut short?")


def map_npy(path: Path) -> NDArray[Any]:
    """The array in a .npy file, memory-mapped."""
    existing_file(path)
    with reading(path), path.open("rb") as file:
        header = _read_header(file, printable(path))
        header.require_size(os.fstat(file.fileno()).st_size - header.length, printable(path))
        return _map(path, header, 0)


def npz_keys(path: Path) -> tuple[str, ...]:
    """The names of the arrays in a .npz file, in its order."""
    with _archive(path) as archive:
        return tuple(name.removesuffix(_SUFFIX) for name in archive.namelist() if name.endswith(_SUFFIX))


def read_npz(path: Path, key: str) -> NDArray[Any]:
    """One array of a .npz file: memory-mapped where stored as it is, read into memory where compressed."""
    keys = npz_keys(path)
    where = f"{printable(path)}: array '{printable(key)}'"
    if key not in keys:
        listed = ", ".join(printable(name) for name in keys) or "nothing"
        raise DataError(f"{printable(path)}: has no array '{printable(key)}'; it has {listed}{did_you_mean(key, keys)}")
    with _archive(path) as archive:
        info = archive.getinfo(key + _SUFFIX)
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _COMPRESSIONS:
            raise DataError(f"{where} is packed in a way that NumPy does not write; store it with np.savez")
        with archive.open(info) as member:
            header = _read_header(member, where)
            header.require_size(info.file_size - header.length, where)
            if info.compress_type == zipfile.ZIP_STORED:
                return _map(path, header, _offset(path, info, where))
            require_memory(header.size, where, "store it with np.savez, uncompressed: then it is memory-mapped")
            return _unpack(member, header, where)


def damaged_arrays(path: Path, keys: Iterable[str]) -> list[str]:
    """Those of the arrays of a .npz file whose bytes are not those that were stored: reads them all."""
    with _archive(path) as archive:
        return [key for key in keys if not _is_whole(archive, key + _SUFFIX)]


def _is_whole(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether a member has the checksum that the archive tells."""
    try:
        with archive.open(name) as member:
            while member.read(_PIECE):
                pass
    except (zipfile.BadZipFile, zlib.error):
        return False
    return True


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    existing_file(path)
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            yield archive
    except _DAMAGE as error:
        reason = error or "it ends too early"
        raise DataError(f"{printable(path)}: is no .npz file, or it is damaged: {reason}") from error


def _offset(path: Path, info: zipfile.ZipInfo, where: str) -> int:
    """Where the member's bytes begin: after its own header, whose extra field may differ from the directory's."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        signature, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        start: int = info.header_offset + _LOCAL_HEADER.size + name + extra
        if signature != b"PK\x03\x04" or start + info.file_size > os.fstat(file.fileno()).st_size:
            raise DataError(f"{where} lies outside the file; is it cut short?")
        return start


def _map(path: Path, header: _Header, start: int) -> NDArray[Any]:
    return np.asarray(np.memmap(path, header.dtype, "r", start + header.length, header.shape, header.order))


def _unpack(member: IO[bytes], header: _Header, where: str) -> NDArray[Any]:
    flat = np.empty(math.prod(header.shape), header.dtype)
    header.require_size(fill(flat, member), where)
    member.read(1)  # at its end the member's checksum is verified
    return flat.reshape(header.shape, order=header.order)


def _read_header(stream: IO[bytes], where: str) -> _Header:
    try:
        version = npy_format.read_magic(stream)
        read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream)
    except (OSError, *_DAMAGE):
        raise
    except Exception as error:  # NumPy parses the header as Python: a garbled one raises almost anything
        raise DataError(f"{where} is no .npy array, or its header is damaged") from error
    if dtype.kind not in "biuf":
        raise DataError(f"{where} holds {_kind(dtype)}; expected integers, real numbers or booleans")
    if any(size < 1 for size in shape) or len(shape) > _MOST_DIMENSIONS:
        raise DataError(f"{where} has shape {shape}; expected 1 to {_MOST_DIMENSIONS} dimensions, none of them empty")
    return _Header(dtype, tuple(map(int, shape)), bool(fortran), stream.tell())


def _kind(dtype: np.dtype[Any]) -> str:
    return "Python objects (a pickle, which could run code)" if dtype.hasobject else f"dtype {dtype}"
