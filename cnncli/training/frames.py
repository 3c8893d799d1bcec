"""The folder `watch` of a run directory: a file of arrays for every step that was watched.

`000050.npz` holds what there was after 50 updates, batch first, under the names that `cnncli forward --save` and
`backward --save` use: `activation/<node>`, `gradient/<node>`, `parameter/<node>.<key>`. `inputs.json` says of what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import CheckpointError
from cnncli.files import write_atomic

Array = NDArray[Any]

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

    @property
    def inputs(self) -> tuple[str, ...]:
        """What was watched, as `--input` takes it. Raises CheckpointError."""
        try:
            names = json.loads(self._inputs.read_text(encoding="utf-8"))["inputs"]
        except FileNotFoundError:
            raise CheckpointError(
                f"{self.path.parent}: nothing was watched in this training; train with --set 'train.watch={{}}'"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{self._inputs}: cannot be read: {error}") from None
        return tuple(map(str, names))

    @property
    def steps(self) -> tuple[int, ...]:
        """After how many updates there are frames, ascending."""
        found = (_NAME.fullmatch(entry.name) for entry in self.path.iterdir()) if self.path.is_dir() else ()
        return tuple(sorted(int(name[1]) for name in found if name))

    def keys(self, step: int) -> tuple[str, ...]:
        """The names of the arrays of a frame. Raises CheckpointError if the file is damaged."""
        with self._opened(step) as arrays:
            return tuple(arrays)

    def read(self, step: int, keys: Iterable[str]) -> dict[str, Array]:
        """These arrays of a frame. Raises CheckpointError if one is not there, or the file is damaged."""
        with self._opened(step) as arrays:
            return {key: arrays[key] for key in keys}

    @contextmanager
    def _opened(self, step: int) -> Iterator[Mapping[str, Array]]:
        path = self._file(step)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                yield arrays
        except KeyError as error:
            raise CheckpointError(f"{path}: {error.args[0]}; it is of another training than the others") from None
        except (OSError, ValueError, TypeError, EOFError, BadZipFile) as error:
            raise CheckpointError(f"{path}: cannot be read: {error}; remove it, or train again") from None

    @property
    def _inputs(self) -> Path:
        return self.path / "inputs.json"

    def _file(self, step: int) -> Path:
        return self.path / f"{step:06d}.npz"
