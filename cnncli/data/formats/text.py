"""Numbers as text: rows of numbers, an empty line between channels.

    1 2 3
    4 5 6        two rows of three

Numbers are separated by blanks, tabs or commas; lines that begin with # are comments.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import existing_file, reading
from cnncli.errors import DataError
from cnncli.wording import printable

_MOST_BYTES = 2 << 20  # in the worst case, one digit a line, they take a hundred times as much memory, and some seconds
_TOKEN = re.compile(r"[^\s,]+")
_EMPTY_FIELD = re.compile(r"^\s*(?=,)|,(?=\s*(?:,|$))")

Row = list[float]


def read_text(path: Path) -> NDArray[Any]:
    """The numbers as float64, (H, W), or (C, H, W) where there are several blocks. NaN and inf are numbers."""
    blocks = [block for block in _blocks(path) if block]
    if not blocks:
        raise DataError(f"{printable(path)}: holds no numbers; expected rows of numbers")
    heights = {len(block) for block in blocks}
    if len(heights) > 1:
        given = ", ".join(str(len(block)) for block in blocks)
        raise DataError(f"{printable(path)}: the channels have {given} rows; expected the same number in each")
    array = np.array(blocks)  # (C, H, W)
    return array[0] if len(blocks) == 1 else array


def _blocks(path: Path) -> list[list[Row]]:
    where = printable(path)
    blocks: list[list[Row]] = [[]]
    width = 0
    for number, line in enumerate(_lines(path), start=1):
        if line.lstrip().startswith("#"):
            continue
        if not line.strip():
            blocks.append([])
            continue
        row = _row(line, f"{where}:{number}")
        width = width or len(row)
        if len(row) != width:
            raise DataError(f"{where}:{number}: has {len(row)} numbers; the rows above have {width}")
        blocks[-1].append(row)
    return blocks


def _row(line: str, place: str) -> Row:
    if gap := _EMPTY_FIELD.search(line):
        raise DataError(f"{place}:{gap.end() + 1}: no number beside the comma")
    return [_number(token, place) for token in _TOKEN.finditer(line)]


def _number(token: re.Match[str], place: str) -> float:
    text = token.group()
    try:
        if "_" in text:  # Python alone would read 1_0 as ten
            raise ValueError
        return float(text)
    except ValueError:
        shown = printable(text if len(text) <= 40 else text[:37] + "...")
        raise DataError(f"{place}:{token.start() + 1}: '{shown}' is no number") from None


def _lines(path: Path) -> list[str]:
    existing_file(path)
    with reading(path):
        size = path.stat().st_size
        if size > _MOST_BYTES:
            given = f"{size:,} bytes of text; expected at most {_MOST_BYTES:,}"
            raise DataError(f"{printable(path)}: {given}: write it as .npy")
        content = path.read_bytes()
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        place = f"byte {error.start} is not UTF-8"
        raise DataError(f"{printable(path)}: is no text ({place}); expected rows of numbers") from None
