"""Boards as real pictures in terminals that can show them: the pixels of the PNG, in an escape sequence.

Nothing is asked of the terminal: which of the protocols it knows, its user says.
"""

from __future__ import annotations

import io
from base64 import standard_b64encode
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from PIL import Image

from cnncli.errors import UsageError
from cnncli.render.paging import pages
from cnncli.render.png.canvas import BACKGROUND
from cnncli.render.png.sheet import draw_page
from cnncli.render.scale import Scale, scaled

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Board

Protocol = Literal["sixel", "kitty", "iterm"]

CHUNK = 4096
"""Characters in one escape sequence of kitty's, at most."""
COLORS = 256
"""Of a sixel picture: every terminal that shows them has so many."""
BAND = 6
"""Lines of pixels that one line of sixels has."""


def require(protocol: Protocol) -> None:
    """Raises UsageError if the library that a protocol needs is not installed."""
    if protocol == "sixel":
        _sixel_library()


def graphics(board: Board, scale: Scale, protocol: Protocol) -> Iterator[str]:
    """The pages of all sheets, each as an escape sequence. Raises UsageError as `require` does."""
    for sheet in board.sheets:
        for page in pages(sheet, scaled(board, sheet, scale)):
            yield encode(draw_page(board, page, scale), protocol)


def encode(png: bytes, protocol: Protocol) -> str:
    """A PNG as an escape sequence."""
    match protocol:
        case "sixel":
            return sixel(png)
        case "kitty":
            return kitty(png)
        case "iterm":
            return iterm(png)


def kitty(png: bytes) -> str:
    """Transmitted and displayed at once (https://sw.kovidgoyal.net/kitty/graphics-protocol, a=T, f=100: a PNG)."""
    text = standard_b64encode(png).decode()
    chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    controls = [f"m={int(more)}" for more in [True] * (len(chunks) - 1) + [False]]
    # q=2: the terminal is to answer nothing, not even errors: nobody would read it.
    controls[0] = f"a=T,f=100,q=2,{controls[0]}"
    return "".join(f"\x1b_G{control};{chunk}\x1b\\" for control, chunk in zip(controls, chunks, strict=True))


def iterm(png: bytes) -> str:
    """An inline file (https://iterm2.com/documentation-images.html)."""
    return f"\x1b]1337;File=inline=1;size={len(png)}:{standard_b64encode(png).decode()}\a"


def sixel(png: bytes) -> str:
    """In at most COLORS colours, without dithering."""
    method = _sixel_library().SixelMethod
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    whole = Image.new("RGB", (picture.width, -(-picture.height // BAND) * BAND), BACKGROUND)
    whole.paste(picture)
    few = whole.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    # Without raster attributes a pixel is twice as high as wide, as it was on the VT240.
    attributes = f'"1;1;{few.width};{few.height}'
    body: str = method(few.convert("RGB")).to_string()
    return f"{method.HEADER}{attributes}{body.removeprefix(method.HEADER)}"


def _sixel_library() -> ModuleType:
    try:
        return import_module("timg")
    except ImportError:
        raise UsageError(
            "--graphics sixel needs a library that is not installed: pip install 'cnncli[graphics]'"
        ) from None
