"""PNG, JPEG, BMP and WebP files to uint8 arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnncli.data.formats.resize import Resize
from cnncli.errors import DataError

Shape = tuple[int, ...]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_MOST_LISTED = 20


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
    pictures = np.empty((len(paths), *shape), np.uint8)
    errors: list[str] = []

    def try_decode(path: Path) -> NDArray[np.uint8] | DataError:
        try:
            return decoding.decode(path, shape, resize)
        except DataError as error:
            return error

    with decoding.strict(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for row, result in enumerate(pool.map(try_decode, paths)):
            if isinstance(result, DataError):
                errors.append(str(result))
            else:
                pictures[row] = result
    if errors:
        more = [f"... and {len(errors) - _MOST_LISTED} more"] if len(errors) > _MOST_LISTED else []
        raise DataError("\n".join(errors[:_MOST_LISTED] + more))
    return pictures
