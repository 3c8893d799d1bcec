"""Tables in CSV files: a line of names, then a line for each sample."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from cnncli.data.files import existing_file, reading, require_memory
from cnncli.errors import DataError
from cnncli.wording import did_you_mean, printable

_TIMES_LARGER = 20  # what a file takes in memory, in its own size
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Table:
    """The text in a CSV file, column by column."""

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]  # in the file, of each row

    def column(self, name: str, option: str) -> list[str]:
        """That of the name. Raises DataError if there is none."""
        if name not in self.columns:
            listed = ", ".join(map(printable, self.columns))
            fix = f"{did_you_mean(name, self.columns)}; correct {option}"
            raise DataError(f"{printable(self.path)}:1: has no column '{printable(name)}'; it has {listed}{fix}")
        return self.columns[name]

    def at(self, row: int) -> str:
        """Where a row is, for a message."""
        return f"{printable(self.path)}:{self.lines[row]}"


def read_table(path: Path) -> Table:
    """The file, in UTF-8, with commas between fields. Raises DataError, with the line."""
    existing_file(path)
    where = printable(path)
    with reading(path):
        require_memory(path.stat().st_size * _TIMES_LARGER, where, "split the file")
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                names = _names(next(reader, []), f"{where}:1")
                rows, lines = [], []
                for fields in reader:
                    if fields:
                        _require_count(len(fields), len(names), f"{where}:{reader.line_num}")
                        rows.append([field.strip() for field in fields])
                        lines.append(reader.line_num)
            except csv.Error as error:
                raise DataError(f"{where}:{reader.line_num}: is no CSV: {error}") from None
            except UnicodeDecodeError as error:
                raise DataError(f"{where}: is no text in UTF-8: {error.reason} at byte {error.start}") from None
    if not rows:
        raise DataError(f"{where}: has no line after the names of the columns; expected one for each sample")
    return Table(path, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), lines)


def _names(fields: list[str], where: str) -> list[str]:
    names = [field.strip() for field in fields]
    if len(names) == 1 and (other := next((mark for mark in _OTHER_SEPARATORS if mark in names[0]), None)):
        raise DataError(f"{where}: has {_OTHER_SEPARATORS[other]} between its fields; expected commas")
    if len(names) < 2 or not all(names):
        raise DataError(f"{where}: expected the names of the columns, as in path,label")
    if twice := next((name for index, name in enumerate(names) if name in names[:index]), None):
        raise DataError(f"{where}: has two columns '{printable(twice)}'; rename one")
    return names


def _require_count(given: int, expected: int, where: str) -> None:
    if given != expected:
        raise DataError(f"{where}: has {given} fields; line 1 names {expected} columns")
