"""The folder `watch` of a run directory: a file of arrays for every step that was watched.

`000050.npz` holds what there was after 50 updates, batch first, under the names that `cnncli forward --save` and
`backward --save` use (`engine/names.py`). `inputs.json` says of what.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import CheckpointError
from cnncli.files import write_atomic

Array = NDArray[Any]
Shape = tuple[int, ...]

FIX = "delete it, or train again"
_NAME = re.compile(r"([0-9]{6,})\.npz")


@dataclass(frozen=True)
class Frames:
    """The files are written whole or not at all; a step that is watched again replaces its file."""

    path: Path

    def begin(self, inputs: Sequence[str]) -> None:
        """Before the first frame: what the first axis of every array means. Raises OutputError."""
        write_atomic(self._inputs, json.dumps({"inputs": list(inputs)}) + "\n")

    def write(self, step: int, arrays: Mapping[str, Array]) -> None:
        """One frame. Raises OutputError."""

        def content(file: BinaryIO) -> None:
            np.savez(file, allow_pickle=False, **arrays)

        write_atomic(self._file(step), content)

    def rewind(self, step: int) -> None:
        """Removes the frames of later steps."""
        for later in (each for each in self.steps if each > step):
            self._file(later).unlink(missing_ok=True)

    def copy(self, other: Frames) -> None:
        """Takes over what another training has watched. Raises OutputError."""
        for file in other.path.iterdir() if other.path.is_dir() else ():
            write_atomic(self.path / file.name, file.read_bytes())

    @property
    def inputs(self) -> tuple[str, ...]:
        """What was watched, as `--input` takes it. Raises CheckpointError."""
        try:
            text = self._inputs.read_bytes()
        except FileNotFoundError:
            raise CheckpointError(
                f"{self.path.parent}: nothing was watched in this training; train with --set 'train.watch={{}}'"
            ) from None
        except OSError as error:
            raise _unreadable(self._inputs, error) from None
        with suppress(ValueError, KeyError, TypeError):
            names = json.loads(text)["inputs"]
            if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
                return tuple(names)
        raise CheckpointError(f'{self._inputs}: expected {{"inputs": ["test:0", ...]}}; restore it, or train again')

    @property
    def steps(self) -> tuple[int, ...]:
        """After how many updates there are frames, ascending."""
        found = (_NAME.fullmatch(entry.name) for entry in self.path.iterdir()) if self.path.is_dir() else ()
        return tuple(sorted(int(name[1]) for name in found if name))

    def read(self, step: int, shapes: Mapping[str, Shape]) -> dict[str, Array]:
        """These arrays of a frame. Raises CheckpointError if the file is damaged, or one is missing or of another
        shape."""
        path = self._file(step)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                found = {key: arrays[key] for key in shapes if key in arrays}
        except Exception:  # NumPy unpacks it and parses headers as Python: garbage raises almost anything
            raise CheckpointError(f"{path}: is damaged, or no .npz of arrays; {FIX}") from None
        for key, shape in shapes.items():
            array = found.get(key)
            if array is None or array.shape != shape or array.dtype.kind != "f":
                has = f"no {key}" if array is None else f"{key} of shape {array.shape}, {array.dtype}"
                expected = f"; expected shape {shape}, floats" if array is not None else ""
                raise CheckpointError(f"{path}: is of another training than config.yaml: has {has}{expected}; {FIX}")
        return found

    @property
    def _inputs(self) -> Path:
        return self.path / "inputs.json"

    def _file(self, step: int) -> Path:
        return self.path / f"{step:06d}.npz"


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(f"{path}: cannot be read: {error.strerror or error}")
