"""PNG, JPEG, BMP and WebP files to uint8 arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import existing_file, reading, some_of
from cnncli.data.formats.resize import Resize
from cnncli.errors import DataError
from cnncli.wording import printable

Shape = tuple[int, ...]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM")
_LONGEST_START = 12  # RIFF, four bytes of size, WEBP


def require_picture_shape(shape: Shape) -> None:
    """Raises DataError where a network with this input cannot see pictures."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DataError(
            f"model.input is {list(shape)}, but pictures need [1, height, width] (grey) or [3, height, width] (colour)"
        )


def read_pictures(paths: Sequence[Path], shape: Shape, resize: Resize) -> NDArray[np.uint8]:
    """All pictures as (N, C, H, W); (C, H, W) is `shape`. One DataError names every file that cannot be read."""
    from cnncli.data.formats import decoding  # noqa: PLC0415 - it loads Pillow, which few commands need

    require_picture_shape(shape)
    decoding.pass_over_oddities()
    pictures = np.empty((len(paths), *shape), np.uint8)
    errors: list[str] = []
    for row, path in enumerate(paths):
        try:
            pictures[row] = decoding.decode(path, shape, resize)
        except DataError as error:
            errors.append(str(error))
    if errors:
        raise DataError(some_of(errors))
    return pictures


def complaint(path: Path) -> str | None:
    """What the file's first bytes show to be wrong with it as a picture; None if nothing."""
    try:
        existing_file(path)
        with reading(path), open(path, "rb", buffering=0) as file:
            start = file.read(_LONGEST_START)
    except DataError as error:
        return str(error)
    if not start:
        return f"{printable(path)}: is empty; expected a picture"
    if not start.startswith(_STARTS) and not (start.startswith(b"RIFF") and start.endswith(b"WEBP")):
        return f"{printable(path)}: is no picture; expected PNG, JPEG, BMP or WebP"
    return None


def require_pictures(paths: Iterable[Path]) -> None:
    """One DataError names every file that by its first bytes is no picture."""
    if problems := [problem for problem in map(complaint, paths) if problem]:
        raise DataError(some_of(problems))
