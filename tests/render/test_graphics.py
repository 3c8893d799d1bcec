"""Pictures in escape sequences: they come out as the PNG's pixels."""

from __future__ import annotations

import io
import re
import sys
from base64 import standard_b64decode

import numpy as np
import pytest
from PIL import Image

from cnncli.errors import UsageError
from cnncli.render.png.graphics import CHUNK, graphics, require
from cnncli.render.png.sheet import decode
from cnncli.render.scale import Scale
from tests.render.makers import Array, board, numbers, tensor

DRAWN = board(tensor(numbers(6, 8, 8)), tensor(numbers(70, 3, 3), node="conv2"))


def test_kitty_is_sent_the_png_in_chunks() -> None:
    first, *others = list(graphics(DRAWN, Scale(), "kitty"))
    assert len(others) == 2
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", first)
    assert "".join(f"\x1b_G{control};{text}\x1b\\" for control, text in chunks) == first
    assert max(len(text) for _, text in chunks) == CHUNK
    assert [control for control, _ in chunks] == ["a=T,f=100,q=2,m=1", *["m=1"] * (len(chunks) - 2), "m=0"]
    values = decode(standard_b64decode("".join(text for _, text in chunks)))
    assert [each.shape for each in values[0]] == [(8, 8)] * 6


def test_a_small_picture_is_a_single_chunk() -> None:
    from cnncli.render.png.graphics import kitty

    assert kitty(b"abc") == "\x1b_Ga=T,f=100,q=2,m=0;YWJj\x1b\\"


def test_iterm_is_sent_the_png_as_a_file() -> None:
    sent = next(graphics(DRAWN, Scale(), "iterm"))
    found = re.fullmatch(r"\x1b\]1337;File=inline=1;size=(\d+):([^\a]*)\a", sent)
    assert found
    png = standard_b64decode(found[2])
    assert len(png) == int(found[1])
    assert len(decode(png)[0]) == 6


def test_sixels_show_the_pixels_of_the_png() -> None:
    pytest.importorskip("timg")
    sent = next(graphics(DRAWN, Scale(), "sixel"))
    png = standard_b64decode(next(graphics(DRAWN, Scale(), "iterm")).partition(":")[2][:-1])
    expected = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    shown = pixels_of(sent)
    assert shown.shape[1] == expected.shape[1]
    assert shown.shape[0] - expected.shape[0] in range(6)
    wrong = np.abs(shown[: len(expected)] - expected)
    assert wrong.mean() < 3  # levels of 255; a register has its colour in whole percents
    assert wrong.max() <= 16


def test_without_the_library_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timg", None)
    require("kitty")
    require("iterm")
    with pytest.raises(UsageError) as caught:
        require("sixel")
    assert str(caught.value) == (
        "--graphics sixel needs a library that is not installed: pip install 'cnncli[graphics]'"
    )


TOKENS = re.compile(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([$-])|([?-~])")


def pixels_of(sent: str) -> Array:
    """(H, W, 3) of a sixel picture: registers, runs, carriage returns and new lines, as the VT340's manual has them."""
    found = re.fullmatch(r'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\', sent)
    assert found
    pixels = np.zeros((int(found[2]), int(found[1]), 3), int)
    registers: dict[str, list[int]] = {}
    top = left = 0
    color: list[int] = []
    for register, red, green, blue, count, run, move, single in TOKENS.findall(found[3]):
        if register:
            if red:
                registers[register] = [round(int(part) * 2.55) for part in (red, green, blue)]
            color = registers[register]
        elif move:
            left, top = 0, top + 6 * (move == "-")
        else:
            bits, width = ord(run or single) - 63, int(count or 1)
            for line in range(6):
                if bits >> line & 1:
                    pixels[top + line, left : left + width] = color
            left += width
    return pixels
