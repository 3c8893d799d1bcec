"""Picture files as samples, decoded when they are asked for, or before."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import memory_limit, some_of
from cnncli.data.formats.resize import Resize
from cnncli.data.stores.crew import Crew
from cnncli.data.stores.decoders import POSSIBLE, Decoders
from cnncli.data.stores.store import Shape
from cnncli.errors import DataError

Picture = NDArray[np.uint8]

_PIECE = 16  # pictures that are decoded in one go
_MANY = 1000  # pictures for which it is worth while to start processes
_MOST_AHEAD = 128 << 20  # bytes of pictures that were announced and not yet asked for
_FIX = "'cnncli data check' lists all such files"

_Piece = dict[int, Picture | DataError]  # by row


class Pictures:
    """Picture files as (M, C, H, W) bytes.

    What was decoded is kept while `keep` bytes hold it; pictures for which there is no room are decoded each
    time they are asked for, so that memory stays constant. Several threads may ask.
    """

    def __init__(self, paths: Sequence[Path], shape: Shape, resize: Resize, *, keep: int) -> None:
        from cnncli.data.formats import decoding  # noqa: PLC0415 - it loads Pillow, which few commands need

        decoding.pass_over_oddities()
        self.shape: Shape = (len(paths), *shape)
        self.dtype = np.dtype(np.uint8)
        self.ndim = len(self.shape)
        self._paths = paths
        self._decode: Callable[[Path], Picture] = partial(decoding.decode, shape=shape, resize=resize)
        self._decoders = Decoders(shape, resize) if POSSIBLE and len(paths) >= _MANY else None
        size = math.prod(shape)
        self._most_ahead = max(1, _MOST_AHEAD // size)
        self._rows = np.arange(len(paths))
        self._kept = np.empty((min(len(paths), keep // size), *shape), np.uint8)
        self._filled = 0
        self._place = np.full(len(paths), -1)  # of each picture in _kept; -1 where it is not there
        self._coming: dict[int, Future[_Piece]] = {}  # announced, and not yet asked for
        self._lock = Lock()
        self._crew = Crew(min(8, os.cpu_count() or 1))

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, rows: Any, /) -> Picture:
        """A copy. Raises one DataError that names those of these files that cannot be decoded."""
        asked = self._rows[rows]
        wanted = np.atleast_1d(asked)
        places = self._place[wanted]
        if places.size and places.min() >= 0:
            kept: Picture = self._kept.take(places if asked.ndim else places[0], axis=0)
            return kept
        with self._lock:
            places = self._place[wanted]
            pieces = self._take(np.unique(wanted[places < 0]).tolist())
        found = {row: piece.result()[row] for row, piece in pieces.items()}
        decoded = _decodable(found)
        pictures = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        there = places >= 0
        pictures[there] = self._kept[places[there]]
        for at in np.flatnonzero(~there).tolist():
            pictures[at] = decoded[int(wanted[at])]
        return pictures if asked.ndim else pictures[0]

    def prefetch(self, rows: NDArray[np.int64], /) -> None:
        """Start decoding these pictures, so far as the room for what was announced before holds them."""
        missing = rows[self._place[rows] < 0].tolist()
        if not missing:
            return
        with self._lock:
            new = [row for row in dict.fromkeys(missing) if row not in self._coming]
            self._coming |= self._begin(new[: self._most_ahead - len(self._coming)])

    def path(self, row: int) -> Path:
        """The file of a sample."""
        return self._paths[row]

    def _take(self, rows: list[int]) -> dict[int, Future[_Piece]]:
        """Who decodes these rows, which are expected no longer."""
        new = [row for row in rows if row not in self._coming]
        if new and len(self._coming) >= self._most_ahead:
            self._coming.clear()  # others are asked for than were announced
            new = rows
        return {row: self._coming.pop(row) for row in rows if row in self._coming} | self._begin(new)

    def _begin(self, rows: list[int]) -> dict[int, Future[_Piece]]:
        pieces = [rows[start : start + _PIECE] for start in range(0, len(rows), _PIECE)]
        futures = [self._crew.submit(partial(self._decoded, piece)) for piece in pieces]
        return {row: future for piece, future in zip(pieces, futures, strict=True) for row in piece}

    def _decoded(self, rows: list[int]) -> _Piece:
        """These pictures, which are also kept where there is room."""
        found = dict(zip(rows, self._by_process(rows) or map(self._try, rows), strict=True))
        with self._lock:
            for row, picture in found.items():
                if not isinstance(picture, DataError) and self._place[row] < 0 and self._filled < len(self._kept):
                    self._kept[self._filled] = picture
                    self._place[row] = self._filled
                    self._filled += 1
                    self._coming.pop(row, None)
            complete = self._filled == len(self._paths)
        if complete and self._decoders is not None:
            self._decoders.dismiss()
        return found

    def _by_process(self, rows: list[int]) -> list[Picture | DataError] | None:
        """The same, decoded beside this process; None where that is not worth while, or not possible yet."""
        if len(rows) < _PIECE or self._decoders is None:
            return None
        return self._decoders.decode([self._paths[row] for row in rows])

    def _try(self, row: int) -> Picture | DataError:
        try:
            return self._decode(self._paths[row])
        except DataError as error:
            return error


def open_pictures(files: Mapping[str, Sequence[Path]], shape: Shape, resize: Resize) -> dict[str, Pictures]:
    """The pictures of each split; together they keep at most a quarter of the machine's memory."""
    count = sum(map(len, files.values()))
    keep = memory_limit() // 2
    return {name: Pictures(paths, shape, resize, keep=keep * len(paths) // count) for name, paths in files.items()}


def _decodable(found: _Piece) -> dict[int, Picture]:
    """All of them. Raises DataError if some could not be decoded."""
    errors = [str(result) for result in found.values() if isinstance(result, DataError)]
    if errors:
        raise DataError(some_of(errors) + f"; {_FIX}")
    return {row: result for row, result in found.items() if not isinstance(result, DataError)}
