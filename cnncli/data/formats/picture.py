"""PNG, JPEG, BMP and WebP to uint8 arrays, and arrays back to something one can look at."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnncli.data.files import existing_file, show
from cnncli.errors import DataError

Resize = Literal["stretch", "crop", "pad"]
Shape = tuple[int, ...]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_MODES = {1: "L", 3: "RGB"}
_MOST_LISTED = 20


def require_picture_shape(shape: Shape) -> None:
    """Raises DataError where a network with this input cannot see pictures."""
    if len(shape) != 3 or shape[0] not in _MODES:
        raise DataError(
            f"model.input is {list(shape)}, but pictures need [1, height, width] (grey) or [3, height, width] (colour)"
        )


def read_pictures(paths: Sequence[Path], shape: Shape, resize: Resize) -> NDArray[np.uint8]:
    """All pictures as (N, C, H, W); (C, H, W) is `shape`. One DataError names every file that cannot be read."""
    require_picture_shape(shape)
    pictures = np.empty((len(paths), *shape), np.uint8)
    errors: list[str] = []
    # Set here, in one thread, as the filters of warnings are global.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore", UserWarning)  # of metadata that it cannot make sense of
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for row, result in enumerate(pool.map(partial(_try_read, shape=shape, resize=resize), paths)):
            if isinstance(result, DataError):
                errors.append(str(result))
            else:
                pictures[row] = result
    if errors:
        more = [f"... and {len(errors) - _MOST_LISTED} more"] if len(errors) > _MOST_LISTED else []
        raise DataError("\n".join(errors[:_MOST_LISTED] + more))
    return pictures


def _try_read(path: Path, *, shape: Shape, resize: Resize) -> NDArray[np.uint8] | DataError:
    try:
        existing_file(path)
        return _read(path, shape, resize)
    except DataError as error:
        return error


def _read(path: Path, shape: Shape, resize: Resize) -> NDArray[np.uint8]:
    channels, height, width = shape
    try:
        with Image.open(path, formats=_FORMATS) as image:
            side = 4 * max(height, width)  # fine enough to hide that the smaller size is rounded up
            image.draft(None, (side, side))  # a JPEG decodes at an eighth of its size in a fraction of the time
            upright = ImageOps.exif_transpose(image)
            picture = _resized(_flat(upright, _MODES[channels]), (width, height), resize)
    except UnidentifiedImageError:
        raise DataError(f"{show(path)}: is no picture; expected PNG, JPEG, BMP or WebP") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = f"{Image.MAX_IMAGE_PIXELS:,}"
        raise DataError(f"{show(path)}: has more than {limit} pixels, as a decompression bomb has; shrink it") from None
    except Exception as error:  # on a garbled file Pillow's readers raise almost anything
        raise DataError(f"{show(path)}: the picture is damaged or cut short: {show(str(error))}") from error
    return np.asarray(picture, np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def _flat(image: Image.Image, mode: str) -> Image.Image:
    """Eight bits a channel, in `mode`; what is transparent shows white."""
    if image.mode.startswith("I"):  # 16 bits a pixel
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert(mode)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert(mode)


def _resized(image: Image.Image, size: tuple[int, int], resize: Resize) -> Image.Image:
    """Bilinear, with the window widened when shrinking, so that nothing aliases."""
    if image.size == size:
        return image
    ratios = [target / given for target, given in zip(size, image.size, strict=True)]
    if resize == "stretch":
        return image.resize(size, Image.Resampling.BILINEAR)
    if resize == "crop":  # the largest centred window with the proportions of `size`
        extents = [target / max(ratios) for target in size]
        left, top = ((given - extent) / 2 for given, extent in zip(image.size, extents, strict=True))
        return image.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + extents[0], top + extents[1]))
    inner_width, inner_height = (max(1, round(given * min(ratios))) for given in image.size)
    canvas = Image.new(image.mode, size)  # black
    corner = ((size[0] - inner_width) // 2, (size[1] - inner_height) // 2)
    canvas.paste(image.resize((inner_width, inner_height), Image.Resampling.BILINEAR), corner)
    return canvas


def to_picture(sample: NDArray[Any]) -> NDArray[np.uint8]:
    """A sample, (C, H, W), (C, L) or (F,), as (H, W), or (H, W, 3) where it has three channels.

    Bytes stay what they are; numbers between 0 and 1 count as brightness, others are stretched from their
    smallest to their largest. Other than one or three channels are averaged; what has no height becomes one row.
    """
    if sample.ndim < 3:
        return to_picture(np.atleast_2d(sample)[None])
    picture = sample if sample.dtype == np.uint8 else _bytes(sample)
    if len(picture) == 3:
        return np.ascontiguousarray(picture.transpose(1, 2, 0))
    mean: NDArray[np.float64] = picture.mean(axis=0)
    return mean.round().astype(np.uint8)


def _bytes(sample: NDArray[Any]) -> NDArray[np.uint8]:
    numbers = np.nan_to_num(sample.astype(np.float64), posinf=0, neginf=0).clip(-1e300, 1e300)
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    brightness: NDArray[np.float64] = (numbers - low) * (255 / ((high - low) or 1))
    return brightness.round().astype(np.uint8)
