"""A folder of pictures: one sub-folder a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cnncli.data.dataset import SPLIT_NAMES
from cnncli.data.files import MOST_LISTED, existing_folder, reading, some_of
from cnncli.data.formats.picture import SUFFIXES, require_picture_shape, require_pictures
from cnncli.data.source import Pool, Shape, check_class_names
from cnncli.data.sources.pictured import Pictured
from cnncli.data.stores import open_pictures
from cnncli.errors import DataError
from cnncli.wording import plural, printable

_CLUTTER = ("Thumbs.db", "desktop.ini")

Classes = dict[str, list[Path]]


class Folder(Pictured):
    """PNG, JPEG, BMP or WebP in DIR/<class>/, or in DIR/train/<class>/ and likewise val and test.

    The classes are numbered in the order of their names, or of `classes`. Every picture is brought to the
    network's size and number of channels.
    """

    type: ClassVar[str] = "folder"

    path: Path = Field(description="folder with one sub-folder a class, or with train, val and test that have them")

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """List everything, and check what can be checked without decoding."""
        require_picture_shape(input_shape)
        root = existing_folder(self.path)
        folders = _split_folders(root)
        splits = {name: _classes(folder, root) for name, folder in folders.items()}
        names = self.class_names()
        if wrong := sorted(set(names) ^ set(splits["train"])):
            differ = f"sub-folders and data.classes differ in {', '.join(map(printable, wrong[:MOST_LISTED]))}"
            raise DataError(f"{printable(root)}: {differ}; expected the same names")
        for name, classes in splits.items():
            if extra := sorted(set(classes) - set(names)):
                listed = ", ".join(map(printable, extra[:MOST_LISTED]))
                where = printable(folders[name])
                raise DataError(f"{where}: has classes that the training pictures have not: {listed}")
        chosen = {name: self._chosen(classes, names, seed) for name, classes in splits.items()}
        require_pictures(path for paths, _ in chosen.values() for path in paths)
        stores = open_pictures({name: paths for name, (paths, _) in chosen.items()}, input_shape, self.resize)
        where = printable(root)
        return {name: Pool(stores[name], labels, where, where) for name, (_, labels) in chosen.items()}

    def class_names(self) -> tuple[str, ...]:
        """Those of `classes`, or of the sub-folders in their order."""
        if self.classes is not None:
            return self.classes
        root = existing_folder(self.path)
        folder = _split_folders(root)["train"]
        try:
            return check_class_names(tuple(entry.name for entry in _entries(folder, root) if entry.is_dir()))
        except ValueError as error:
            raise DataError(f"{printable(root)}: {error}; rename the folder") from None

    def _chosen(self, classes: Classes, names: tuple[str, ...], seed: int) -> tuple[list[Path], NDArray[np.int64]]:
        """The pictures that `limit` leaves, and the number of each one's class."""
        paths = [path for name in names for path in classes.get(name, ())]
        labels = np.repeat(np.arange(len(names)), [len(classes.get(name, ())) for name in names])
        rows = self.limited(labels, seed)
        return [paths[row] for row in rows], labels[rows]


def _split_folders(root: Path) -> dict[str, Path]:
    """DIR/train, DIR/val, DIR/test where DIR has nothing else; DIR itself as "train" otherwise."""
    folders = [entry for entry in _entries(root, root) if entry.is_dir()]
    names = {folder.name for folder in folders}
    if "train" not in names or not names.issubset(SPLIT_NAMES):
        return {"train": root}
    found: dict[str, Path] = {}
    for folder in folders:
        other = found.setdefault(SPLIT_NAMES[folder.name], folder)
        if other is not folder:
            raise DataError(f"{printable(root)}: has both {other.name} and {folder.name}; expected one of them")
    return found


def _classes(folder: Path, root: Path) -> Classes:
    """The pictures of each class folder. One DataError names everything that does not belong there."""
    entries = _entries(folder, root)
    stray = [entry for entry in entries if entry.suffix.lower() in SUFFIXES and not entry.is_dir()]
    folders = [entry for entry in entries if entry.is_dir()]
    if stray or len(folders) < 2:
        given = f"the picture {printable(stray[0].name)} in no class" if stray else plural(len(folders), "sub-folder")
        raise DataError(f"{printable(folder)}: has {given}; expected two sub-folders or more, one a class, of pictures")
    classes: Classes = {entry.name: _entries(entry, root) for entry in folders}
    problems = [problem for entry in folders for problem in _problems(entry, classes[entry.name])]
    if problems:
        raise DataError(some_of(problems))
    return classes


def _problems(folder: Path, entries: Sequence[Path]) -> Iterator[str]:
    if not entries:
        yield f"{printable(folder)}: is empty; expected pictures of the class '{printable(folder.name)}'"
    for entry in entries:
        if entry.is_dir():
            yield f"{printable(entry)}: is a folder inside a class; expected pictures only"
        elif entry.suffix.lower() not in SUFFIXES:
            yield f"{printable(entry)}: is no picture; expected one of {' '.join(SUFFIXES)}"


def _entries(folder: Path, root: Path) -> list[Path]:
    """What the folder holds, by name, but for hidden files. Nothing may lead out of `root`."""
    with reading(folder):
        entries = sorted(entry for entry in folder.iterdir() if not _clutter(entry.name))
        for entry in entries:
            if entry.is_symlink() and not entry.resolve().is_relative_to(root.resolve()):
                target = printable(entry.resolve())
                raise DataError(f"{printable(entry)}: links to {target}, outside {printable(root)}; put a copy there")
    return entries


def _clutter(name: str) -> bool:
    return name.startswith(".") or name in _CLUTTER
