"""One picture file to an array, by Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnncli.data.files import existing_file
from cnncli.data.formats.resize import Resize
from cnncli.errors import DataError
from cnncli.wording import printable

Shape = tuple[int, ...]

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_MODES = {1: "L", 3: "RGB"}


@contextmanager
def strict() -> Iterator[None]:
    """While this is open decompression bombs are errors, and odd metadata is passed over.

    The filters of warnings are the whole process's: open it in one thread, around all that decode.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of metadata that Pillow cannot make sense of
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode(path: Path, shape: Shape, resize: Resize) -> NDArray[np.uint8]:
    """The picture as (C, H, W), which is `shape`, upright; C is 1 (grey) or 3. Raises DataError."""
    channels, height, width = shape
    existing_file(path)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            side = 4 * max(height, width)  # fine enough to hide that the smaller size is rounded up
            image.draft(None, (side, side))  # a JPEG decodes at an eighth of its size in a fraction of the time
            upright = ImageOps.exif_transpose(image)
            picture = _resized(_flat(upright, _MODES[channels]), (width, height), resize)
    except UnidentifiedImageError:
        raise DataError(f"{printable(path)}: is no picture; expected PNG, JPEG, BMP or WebP") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        size = f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        raise DataError(f"{printable(path)}: has {size}, as a decompression bomb has; shrink it") from None
    except Exception as error:  # on a garbled file Pillow's readers raise almost anything
        raise DataError(f"{printable(path)}: the picture is damaged or cut short: {printable(error)}") from error
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
        # min: rounding may leave an extent a hair wider than the picture, which Pillow refuses.
        extents = [min(target / max(ratios), given) for target, given in zip(size, image.size, strict=True)]
        left, top = ((given - extent) / 2 for given, extent in zip(image.size, extents, strict=True))
        return image.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + extents[0], top + extents[1]))
    inner_width, inner_height = (max(1, round(given * min(ratios))) for given in image.size)
    canvas = Image.new(image.mode, size)  # black
    corner = ((size[0] - inner_width) // 2, (size[1] - inner_height) // 2)
    canvas.paste(image.resize((inner_width, inner_height), Image.Resampling.BILINEAR), corner)
    return canvas
