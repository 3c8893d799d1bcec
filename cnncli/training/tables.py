"""The tables of a run directory: CSV, a line of column names above lines of numbers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnncli.errors import CheckpointError
from cnncli.files import write_atomic
from cnncli.wording import printable

Number = int | float
Cell = str | int | float | None
Tell = Callable[[str], None]
"""Is told what is not as it should be, in a sentence."""

INTEGERS, NAMES = ("epoch", "step"), ("node",)
"""Columns that are counts from 1, and names; all others are decimal numbers."""
LONGEST = 40
"""Characters of a damaged file that are quoted."""
TRAIN = "or train again"


def write_table(path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Replaces the file; all rows have the columns of the first. Raises OutputError."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(path, text.getvalue())


def read_table(path: Path, key: Sequence[str], tell: Tell | None = None) -> list[dict[str, Any]]:
    """The rows, nan where there is nothing. No two have the same `key`, of which no count ever falls.

    A last line without its end was cut by a crash or a full disk, be it in the middle of a number: it is left out,
    and `tell` hears of it. Raises CheckpointError with the line where the file is damaged otherwise, or where nobody
    listens.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None
    whole, end, cut = content.rpartition(b"\n")
    restore = f"restore the file, {TRAIN}"
    if not whole.strip():
        what = "the line of column names is cut" if cut.strip() else "is empty; expected a line of column names"
        raise _damaged(path, 1, what, restore)
    rows = _Rows(path, tuple(key)).read(whole + end)
    if cut.strip():
        last = content.count(b"\n") + 1
        if tell is None or not rows:
            raise _damaged(path, last, "the line is cut" + ("" if rows else ", and there is no other"), restore)
        tell(f"{path.name}: the last line, {last}, is cut and left out")
    return rows


@dataclass(frozen=True)
class _Rows:
    """Reads whole lines."""

    path: Path
    key: tuple[str, ...]

    def read(self, content: bytes) -> list[dict[str, Any]]:
        lines = self._lines(content)
        _, columns = next(lines)
        self._require_columns(columns)
        rows: list[dict[str, Any]] = []
        seen: set[tuple[Any, ...]] = set()
        for line, texts in lines:
            if len(texts) != len(columns):
                raise self._wrong(line, f"has {len(texts)} values; expected {len(columns)}, one a column")
            row = {column: self._value(line, column, text) for column, text in zip(columns, texts, strict=True)}
            found = tuple(row[name] for name in self.key)
            if found in seen:
                raise self._wrong(line, f"{self._named(found)} is there twice; expected it once")
            fallen = [name for name in self.key if name in INTEGERS and rows and row[name] < rows[-1][name]]
            if fallen:
                before = f"{fallen[0]} {rows[-1][fallen[0]]}"
                raise self._wrong(line, f"{self._named(found)} comes after {before}; expected them in order")
            seen.add(found)
            rows.append(row)
        return rows

    def _named(self, found: tuple[Any, ...]) -> str:
        """`epoch 2, step 900 of conv1`."""
        cells = list(zip(self.key, found, strict=True))
        counts = ", ".join(f"{name} {value}" for name, value in cells if name in INTEGERS)
        return " of ".join([counts, *(printable(value) for name, value in cells if name not in INTEGERS)])

    def _lines(self, content: bytes) -> Iterator[tuple[int, list[str]]]:
        """The numbers of the lines that are not blank, and what is between the commas."""
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise self._wrong(line, "is no text in UTF-8; expected numbers") from None
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            yield from ((reader.line_num, texts) for texts in reader if texts)
        except csv.Error as error:
            raise self._wrong(reader.line_num, f"is no line of a table ({error}); expected numbers") from None

    def _require_columns(self, columns: Sequence[str]) -> None:
        missing = [name for name in self.key if name not in columns]
        if missing:
            found = printable(",".join(columns))[:LONGEST]
            what = f"expected the names of columns, '{missing[0]}' among them, but found '{found}'"
            raise _damaged(self.path, 1, what, f"restore the file, {TRAIN}")

    def _value(self, line: int, column: str, text: str) -> str | Number:
        if column in NAMES:
            return text
        with suppress(ValueError):
            if column not in INTEGERS:
                return float(text) if text else math.nan
            if int(text) >= 1:
                return int(text)
        wanted = "a whole number from 1 on" if column in INTEGERS else "a number"
        raise self._wrong(line, f"{printable(column)} is '{printable(text)[:LONGEST]}'; expected {wanted}")

    def _wrong(self, line: int, what: str) -> CheckpointError:
        return _damaged(self.path, line, what, f"mend or delete the line, {TRAIN}")


def _damaged(path: Path, line: int, what: str, fix: str) -> CheckpointError:
    return CheckpointError(f"{path}:{line}: {what}; {fix}")
