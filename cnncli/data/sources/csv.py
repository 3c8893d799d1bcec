"""A list of pictures with their labels, or numbers, in a CSV file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cnncli.data.dataset import SPLIT_NAMES, SPLITS
from cnncli.data.files import some_of
from cnncli.data.formats.picture import SUFFIXES, complaint, require_picture_shape
from cnncli.data.formats.table import Table, read_table
from cnncli.data.source import Pool, Shape, check_class_names
from cnncli.data.sources.pictured import Pictured
from cnncli.data.stores import open_pictures
from cnncli.errors import DataError
from cnncli.wording import did_you_mean, printable

Array = NDArray[Any]

_SPLIT = "split"
_CLASS = re.compile(r"[0-9]{1,9}")
_MOST = float(np.finfo(np.float32).max)


class Csv(Pictured):
    """A CSV file with a line of names, then a line for each picture: path,label or path,number,number,...

    A column of words is the classes, numbered in the order of their names, or of `classes`; whole numbers are the
    classes themselves. Other numbers, and several columns, are regression or multi-label targets; columns of 0 and 1
    name the labels. Where a column is called split, it says train, val or test. Paths start at the folder of the file,
    and must stay inside.
    """

    type: ClassVar[str] = "csv"

    path: Path = Field(description="the CSV file")
    image: str | None = Field(None, description="name of the column of paths; the first column if left out")
    targets: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None, description="names of the columns of targets; all others but split if left out"
    )

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Read the list, and check what can be checked without decoding a picture."""
        require_picture_shape(input_shape)
        table = read_table(self.path)
        targets = self._targets(table)
        rows = {name: rows[self.limited(targets[rows], seed)] for name, rows in self._splits(table).items()}
        images = table.columns[self._image(table)]
        paths = {name: _pictures(table, images, chosen) for name, chosen in rows.items()}
        stores = open_pictures(paths, input_shape, self.resize)
        where = printable(self.path)
        return {name: Pool(stores[name], targets[rows[name]], where, where) for name in stores}

    def class_names(self) -> tuple[str, ...] | None:
        """Those of `classes`, or the words in the only column of targets, or the names of several of 0 and 1."""
        if self.classes is not None:
            return self.classes
        table = read_table(self.path)
        return self._labels(table) or self._words(table)

    def _image(self, table: Table) -> str:
        name = next(iter(table.columns)) if self.image is None else self.image
        table.column(name, "data.image")
        if self.image is None and name.lower().endswith(SUFFIXES):
            raise DataError(
                f"{printable(self.path)}:1: begins with the picture '{printable(name)}'; expected a line of column"
                " names before the pictures, as path,label"
            )
        return name

    def _columns(self, table: Table) -> dict[str, list[str]]:
        """The columns of targets."""
        others = [name for name in table.columns if name not in (self._image(table), _SPLIT)]
        names = others if self.targets is None else self.targets
        if not names:
            raise DataError(f"{printable(self.path)}:1: has no column of targets; expected one beside the paths")
        return {name: table.column(name, "data.targets") for name in names}

    def _words(self, table: Table) -> tuple[str, ...] | None:
        """The names of the classes where one column tells them; None where it holds numbers, or there are more."""
        texts, *more = self._columns(table).values()
        numbers = [_number(text) is not None for text in texts]
        if more or all(numbers):
            return None
        if any(numbers):
            odd = numbers.index(not numbers[0])
            given = [f"'{printable(texts[row])}'" for row in (odd, 0)]
            kinds = ["a number", "no number"][:: 1 if numbers[odd] else -1]
            differ = f"{given[0]} is {kinds[0]}, but {given[1]} in line {table.lines[0]} is {kinds[1]}"
            raise DataError(f"{table.at(odd)}: {differ}; if they are names of classes, list them in data.classes")
        return self._checked(sorted(set(texts)))

    def _labels(self, table: Table) -> tuple[str, ...] | None:
        """The names of the columns where several hold only 0 and 1; None where they hold other numbers."""
        columns = self._columns(table)
        flags = all(_number(text) in (0, 1) for texts in columns.values() for text in set(texts))
        return self._checked(columns) if len(columns) > 1 and flags else None

    def _checked(self, names: Iterable[str]) -> tuple[str, ...]:
        try:
            return check_class_names(tuple(names))
        except ValueError as error:
            raise DataError(f"{printable(self.path)}: {error}; correct it in the file") from None

    def _targets(self, table: Table) -> Array:
        """(M,) classes, or (M, columns) real numbers."""
        columns = self._columns(table)
        for name, texts in columns.items():
            if "" in texts:
                raise DataError(f"{table.at(texts.index(''))}: has no '{printable(name)}'")
        texts, *more = columns.values()
        whole = not more and all(map(_CLASS.fullmatch, texts))
        names = None if more else self.classes or self._words(table)
        if names is not None and (not whole or set(texts) <= set(names)):
            return _classes(table, texts, names)
        if whole:
            return np.array([int(text) for text in texts])
        return np.array([_numbers(table, *column) for column in columns.items()], np.float32).T

    def _splits(self, table: Table) -> dict[str, NDArray[np.int64]]:
        """The rows of each split."""
        if _SPLIT not in table.columns or _SPLIT in (self.image, *(self.targets or ())):
            return {"train": np.arange(len(table.lines))}
        texts = table.columns[_SPLIT]
        wrong = next((row for row, text in enumerate(texts) if text not in SPLIT_NAMES), None)
        if wrong is not None:
            given = f"the split is '{printable(texts[wrong])}'; expected train, val or test"
            raise DataError(f"{table.at(wrong)}: {given}{did_you_mean(texts[wrong], SPLIT_NAMES)}")
        of_rows = np.array([SPLIT_NAMES[text] for text in texts])
        found = {name: np.flatnonzero(of_rows == name) for name in SPLITS}
        if not len(found["train"]):
            raise DataError(f"{printable(self.path)}: has no line whose split is train")
        return {name: rows for name, rows in found.items() if len(rows)}


def _classes(table: Table, texts: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    number = {name: index for index, name in enumerate(names)}
    for row, text in enumerate(texts):
        if text not in number:
            given = f"the class '{printable(text)}' is none of data.classes{did_you_mean(text, names)}"
            raise DataError(f"{table.at(row)}: {given}")
    return np.array([number[text] for text in texts])


def _numbers(table: Table, name: str, texts: Sequence[str]) -> list[float]:
    numbers = []
    for row, text in enumerate(texts):
        number = _number(text)
        if number is None or not abs(number) <= _MOST:
            raise DataError(f"{table.at(row)}: '{printable(name)}' is '{printable(text)}'; expected a finite number")
        numbers.append(number)
    return numbers


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # Python alone would read 1_0 as ten
    except ValueError:
        return None


def _pictures(table: Table, texts: Sequence[str], rows: NDArray[np.int64]) -> list[Path]:
    """The files that these rows name. One DataError names the lines of all that cannot be pictures of this folder."""
    folder = table.path.parent
    root = os.path.realpath(folder)
    real_folder = cache(os.path.realpath)  # of the few folders that many pictures share
    paths = [folder / texts[row] for row in rows]
    problems = []
    for row, path in zip(rows, paths, strict=True):
        try:
            real = os.path.realpath(path) if path.is_symlink() else os.path.join(real_folder(path.parent), path.name)
        except (OSError, ValueError) as error:  # a name that is too long, or has a NUL in it
            problems.append(f"{table.at(row)}: is no path: {getattr(error, 'strerror', None) or error}")
            continue
        if not texts[row]:
            problem: str | None = "has no path of a picture"
        elif os.path.commonpath([root, real]) != root:
            problem = f"{printable(path)}: leads out of {printable(folder)}; put a copy there"
        else:
            problem = complaint(path)
        if problem:
            problems.append(f"{table.at(row)}: {problem}")
    if problems:
        raise DataError(some_of(problems))
    return paths
