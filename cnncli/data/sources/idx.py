"""MNIST and its family: images and labels in IDX files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from cnncli.data.files import existing_folder, reading
from cnncli.data.formats.idx import read_idx
from cnncli.data.source import Pool, Shape, Source
from cnncli.errors import DataError
from cnncli.wording import printable

_PARTS = {"train": "train", "test": "t10k"}
_KINDS = ("images-idx3", "labels-idx1")


class Idx(Source):
    """The four standard files of a folder, or files by name; each plain or gzipped."""

    type: ClassVar[str] = "idx"

    path: Path | None = Field(None, description="folder with train-images-idx3-ubyte[.gz] and its three companions")
    images: Path | None = Field(None, description="training images, instead of path")
    labels: Path | None = Field(None, description="training labels, instead of path")
    test_images: Path | None = Field(None, description="test images, besides images")
    test_labels: Path | None = Field(None, description="test labels, besides labels")

    @model_validator(mode="after")
    def _path_or_files(self) -> Self:
        if (self.path is None) == (self.images is None):
            raise ValueError("expected either path (a folder), or images and labels (files)")
        if (self.images is None) != (self.labels is None):
            raise ValueError("expected images and labels together")
        if (self.test_images is None) != (self.test_labels is None):
            raise ValueError("expected test_images and test_labels together")
        if self.path is not None and self.test_images is not None:
            raise ValueError("path finds the test files by itself; remove test_images and test_labels")
        return self

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Read the labels and images of each pair of files."""
        return {name: read_pair(*files) for name, files in self._files().items()}

    def _files(self) -> dict[str, tuple[Path, Path]]:
        if self.path is not None:
            return standard_files(self.path)
        pairs = {"train": (self.images, self.labels), "test": (self.test_images, self.test_labels)}
        return {
            name: (images, labels)
            for name, (images, labels) in pairs.items()
            if images is not None and labels is not None
        }


def read_pair(images: Path, labels: Path) -> Pool:
    """Images and their labels; the small file first, as it is the cheaper one to be wrong."""
    targets = read_idx(labels)
    if targets.ndim != 1:
        hint = "are images and labels swapped?"
        raise DataError(f"{printable(labels)}: has shape {targets.shape}; expected labels, (N,); {hint}")
    return Pool(read_idx(images), targets, printable(images), printable(labels))


def standard_files(folder: Path) -> dict[str, tuple[Path, Path]]:
    """The (images, labels) files of "train" and, where there, "test", under MNIST's standard names."""
    existing_folder(folder)
    with reading(folder):
        present = {entry.name for entry in folder.iterdir()}
    found = {(split, kind): _find(present, f"{part}-{kind}") for split, part in _PARTS.items() for kind in _KINDS}
    wanted = _PARTS if any(found["test", kind] for kind in _KINDS) else ["train"]
    missing = [f"{_PARTS[split]}-{kind}-ubyte" for split in wanted for kind in _KINDS if not found[split, kind]]
    if missing:
        raise DataError(f"{printable(folder)}: has no {' and no '.join(missing)} (or the same with .gz at its end)")
    first, second = _KINDS
    return {split: (folder / found[split, first], folder / found[split, second]) for split in wanted}


def _find(present: set[str], stem: str) -> str:
    """The file's name, "" if none: with - or . before idx, plain (which can be mapped) before gzipped."""
    names = [f"{stem}-ubyte", f"{stem}-ubyte".replace("-idx", ".idx")]
    candidates = [name + suffix for suffix in ("", ".gz") for name in names]
    return next((name for name in candidates if name in present), "")
