"""CIFAR-10 and CIFAR-100, in their binary version."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from cnncli.data.files import existing_folder, reading
from cnncli.data.formats.cifar import read_cifar, read_names
from cnncli.data.source import Pool, Shape, Source, check_class_names
from cnncli.data.stores import Joined, unmapped
from cnncli.errors import DataError
from cnncli.wording import printable


class _Cifar(Source):
    """60,000 colour pictures, 32x32, in files of records."""

    path: Path = Field(description="folder with the .bin files")

    def read(self, input_shape: Shape, *, seed: int) -> dict[str, Pool]:
        """Map the files of each split."""
        folder = existing_folder(self.path)
        files = self._files()
        with reading(folder):
            missing = [name for names in files.values() for name in names if not (folder / name).exists()]
        if missing:
            raise DataError(f"{printable(folder)}: has no {' and no '.join(missing)}; expected the binary version")
        return {split: self._pool([folder / name for name in names]) for split, names in files.items()}

    def class_names(self) -> tuple[str, ...] | None:
        """Those of `classes`, or of the file beside the data; None where that is not there."""
        if self.classes is not None:
            return self.classes
        path = self.path / self._names()
        with reading(path):
            if not path.exists():
                return None
        try:
            return check_class_names(read_names(path))
        except ValueError as error:
            raise DataError(f"{printable(path)}: {error}; correct it in the file") from None

    def _pool(self, paths: list[Path]) -> Pool:
        count, column = self._labels()
        pairs = [read_cifar(path, count) for path in paths]
        where = printable(self.path if len(paths) > 1 else paths[0])
        labels = np.concatenate([labels[:, column] for _, labels in pairs])
        parts = [unmapped(pictures) for pictures, _ in pairs]
        return Pool(Joined(parts) if len(parts) > 1 else parts[0], labels, where, where)

    def _files(self) -> dict[str, list[str]]:
        """Those of each split."""
        raise NotImplementedError

    def _names(self) -> str:
        """The file that has the names of the classes."""
        raise NotImplementedError

    def _labels(self) -> tuple[int, int]:
        """How many labels a record has, and which of them is wanted."""
        raise NotImplementedError


class Cifar10(_Cifar):
    """The folder of CIFAR-10's binary version: data_batch_1.bin to data_batch_5.bin, and test_batch.bin."""

    type: ClassVar[str] = "cifar10"

    def _files(self) -> dict[str, list[str]]:
        return {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}

    def _names(self) -> str:
        return "batches.meta.txt"

    def _labels(self) -> tuple[int, int]:
        return 1, 0


class Cifar100(_Cifar):
    """The folder of CIFAR-100's binary version: train.bin and test.bin."""

    type: ClassVar[str] = "cifar100"

    labels: Literal["fine", "coarse"] = Field("fine", description="fine: a hundred classes; coarse: twenty")

    def _files(self) -> dict[str, list[str]]:
        return {"train": ["train.bin"], "test": ["test.bin"]}

    def _names(self) -> str:
        return f"{self.labels}_label_names.txt"

    def _labels(self) -> tuple[int, int]:
        return 2, ("coarse", "fine").index(self.labels)
