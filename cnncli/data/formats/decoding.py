"""One picture file to an array, by Pillow."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnncli.data.files import existing_file, reading
from cnncli.data.formats.resize import Resize
from cnncli.errors import DataError
from cnncli.wording import printable

Shape = tuple[int, ...]

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_MODES = {1: "L", 3: "RGB"}
_MOST_PIXELS = 89_478_485  # Pillow's bound: a quarter of a GiB in colour
_MOST_DECODED = 1 << 25  # pixels: with transparency each takes sixteen bytes while it is made white
_MOST_SCANNED = (
    1 << 30
)  # pixels times scans of a progressive JPEG: every scan, though it be empty, goes over all of them
_START_OF_SCAN = b"\xff\xda"
_MAY_TURN = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}  # metadata that may tell an orientation


class _TooLargeError(Exception):
    """It would take long, or much memory, to decode."""


def pass_over_oddities() -> None:
    """From now on Pillow is silent about metadata that it cannot make sense of, and about sizes, which we judge.

    The filters of warnings are the whole process's, so this cannot be opened and closed around work in threads.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")


def decode(path: Path, shape: Shape, resize: Resize) -> NDArray[np.uint8]:
    """The picture as (C, H, W), which is `shape`, upright; C is 1 (grey) or 3. Raises DataError."""
    channels, height, width = shape
    existing_file(path)
    try:
        with open(path, "rb") as file, Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise Image.DecompressionBombError
            _check_scans(image, file)
            side = 4 * max(height, width)  # fine enough to hide that the smaller size is rounded up
            image.draft(None, (side, side))  # a JPEG decodes at an eighth of its size in a fraction of the time
            if image.width * image.height > _MOST_DECODED:
                raise _TooLargeError(f"{image.width:,} x {image.height:,} pixels; expected at most {_MOST_DECODED:,}")
            image.load()
            upright = ImageOps.exif_transpose(image) if _MAY_TURN & image.info.keys() else image
            picture = _resized(_flat(upright, _MODES[channels]), (width, height), resize)
    except Exception as error:  # on a garbled file Pillow's readers raise almost anything
        raise DataError(f"{printable(path)}: {_fault(error)}") from error
    return np.asarray(picture, np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height, of which no more than the header is read. Raises DataError."""
    existing_file(path)
    with reading(path), Image.open(path, formats=_FORMATS) as image:
        return image.size


def _fault(error: Exception) -> str:
    match error:
        case UnidentifiedImageError():
            return "is no picture; expected PNG, JPEG, BMP or WebP"
        case Image.DecompressionBombError():
            return f"has more than {_MOST_PIXELS:,} pixels, as a decompression bomb has; shrink it"
        case _TooLargeError():
            return f"has {error}; shrink it"
        case MemoryError():
            return "there is not enough memory to decode it"
        # Pillow's own have no number; EINVAL comes of a garbled file that sends its reader nowhere.
        case OSError(errno=int(number), strerror=reason) if number != errno.EINVAL:
            return f"cannot be read: {reason}"
    return f"the picture is damaged or cut short: {printable(error)}"


def _check_scans(image: Image.Image, file: IO[bytes]) -> None:
    """A progressive JPEG has some ten scans; one of thousands keeps the decoder busy for minutes."""
    if "progressive" not in image.info:
        return
    place = file.tell()
    file.seek(0)
    scans = file.read().count(_START_OF_SCAN)
    file.seek(place)
    if scans * image.width * image.height > _MOST_SCANNED:
        raise _TooLargeError(f"{image.width:,} x {image.height:,} pixels in {scans:,} scans")


def _flat(image: Image.Image, mode: str) -> Image.Image:
    """Eight bits a channel, in `mode`; what is transparent shows white."""
    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits a pixel
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert(mode)
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
