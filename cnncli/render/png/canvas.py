"""A picture under construction: text and blocks of pixels by Pillow, written as PNG with texts about itself."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from cnncli.render.colors import Colors

BACKGROUND = (30, 30, 34)
"""Dark, so that the white of a zero and the gutters between tiles are seen."""
INK = (236, 236, 236)
FAINT = (160, 160, 166)
MARGIN = 12
SMALL, NORMAL, LARGE = 11, 13, 16
"""Sizes of text."""

Color = tuple[int, int, int]


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font."""
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # Pillow is built with FreeType wherever it is a wheel
    return found


def drawable(text: str) -> str:
    """Without what the font lacks: accents are dropped, other letters become question marks."""
    if text.isascii():
        return text
    plain = (unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode() or "?" for char in text)
    return "".join(char if char in "·±" else other for char, other in zip(text, plain, strict=True))


def class_name(name: str, number: int) -> str:
    """The name of a class; or "class 3" where the font lacks one of its letters, as such names would all look alike."""
    return name if drawable(name).count("?") == name.count("?") else f"class {number}"


def text_width(text: str, size: int) -> int:
    """In pixels, rounded up."""
    return int(np.ceil(font(size).getlength(drawable(text))))


def line_height(size: int) -> int:
    """From one line of text to the next."""
    return round(size * 1.4)


def wrap_words(text: str, width: int, size: int) -> list[str]:
    """Lines no wider than `width`, broken between words, and within a word only where it is wider than a line."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if text_width(longer, size) <= width:
            lines[-1] = longer
            continue
        lines += _pieces(word, width, size)
    return [line for line in lines if line]


def _pieces(word: str, width: int, size: int) -> list[str]:
    """A word in parts no wider than `width`, of at least one letter."""
    parts = [""]
    for letter in word:
        if parts[-1] and text_width(parts[-1] + letter, size) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def wrap(items: Iterable[str], width: int, size: int) -> list[str]:
    """Items, some blanks between them, in lines no wider than `width`."""
    lines: list[str] = []
    for item in items:
        longer = f"{lines[-1]}    {item}" if lines else item
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines += wrap_words(item, width, size)
    return lines


class Canvas:
    """Pixels to draw on; coordinates are (left, top)."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), BACKGROUND)
        self.draw = ImageDraw.Draw(self.image)

    def paste(self, pixels: Colors, left: int, top: int) -> None:
        """Pixels (H, W, 3)."""
        self.image.paste(Image.fromarray(np.ascontiguousarray(pixels)), (left, top))

    def text(self, left: float, top: float, text: str, size: int, color: Color = INK, anchor: str = "la") -> None:
        """One line; `anchor` as Pillow has it: "la" is left and top, "ma" the middle, "ra" the right."""
        self.draw.text((left, top), drawable(text), fill=color, font=font(size), anchor=anchor)

    def lines(self, left: int, top: int, lines: Sequence[str], size: int, color: Color = INK) -> int:
        """Text from `top` downwards; returns where it ends."""
        for line in lines:
            self.text(left, top, line, size, color)
            top += line_height(size)
        return top

    def png(self, texts: Mapping[str, str]) -> bytes:
        """The file; every text becomes an iTXt chunk. The same drawing gives the same bytes."""
        info = PngInfo()
        for key, value in texts.items():
            # The name of a file may have bytes that are no text.
            info.add_itxt(key, value.encode(errors="backslashreplace").decode())
        file = io.BytesIO()
        self.image.save(file, "PNG", pnginfo=info, compress_level=4)
        return file.getvalue()


COLOR_BAR = (180, 10)
"""Width and height of a colour bar's colours, in pixels."""
