"""Picture files as samples, decoded when they are asked for, or before."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import memory_limit
from cnncli.data.formats.resize import Resize
from cnncli.data.stores.crew import Crew
from cnncli.data.stores.decoders import POSSIBLE, Decoders
from cnncli.data.stores.forking import in_every_child
from cnncli.data.stores.store import Shape
from cnncli.data.stores.unreadable import UnreadableError
from cnncli.errors import DataError
from cnncli.machine import available_cores

Picture = NDArray[np.uint8]

_PIECE = 16  # pictures that are decoded in one go, at most
_FEW = 4  # that are not worth while to be cut, or else to be sent to a process
_MOST_THREADS = 8
_MANY = 1000  # pictures for which it is worth while to start processes
_MOST_AHEAD = 128 << 20  # bytes of pictures that were announced and not yet asked for

_Piece = dict[int, Picture | DataError]  # by row


class Pictures:
    """Picture files as (M, C, H, W) bytes.

    What was decoded is kept while `keep` bytes hold it; pictures for which there is no room are decoded each
    time they are asked for, so that memory stays constant. Several threads may ask. The crew decodes, and so do
    processes, if there are some.
    """

    def __init__(
        self, paths: Sequence[Path], shape: Shape, resize: Resize, *, keep: int, crew: Crew, decoders: Decoders | None
    ) -> None:
        from cnncli.data.formats import decoding  # noqa: PLC0415 - it loads Pillow, which few commands need

        decoding.pass_over_oddities()
        self.shape: Shape = (len(paths), *shape)
        self.dtype = np.dtype(np.uint8)
        self.ndim = len(self.shape)
        self._paths = paths
        self._decode: Callable[[Path], Picture] = partial(decoding.decode, shape=shape, resize=resize)
        self._crew = crew
        self._decoders = decoders
        size = math.prod(shape)
        self._most_ahead = max(1, _MOST_AHEAD // size)
        self._rows = np.arange(len(paths))
        self._kept = np.empty((min(len(paths), keep // size), *shape), np.uint8)
        self._filled = 0
        self._place = np.full(len(paths), -1)  # of each picture in _kept; -1 where it is not there
        self._begin_anew()
        in_every_child(self._begin_anew)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, rows: Any, /) -> Picture:
        """A copy. Raises one UnreadableError that names those of these files that cannot be decoded."""
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
            self._announced |= dict.fromkeys(row for row in missing if row not in self._coming)
            self._begin_announced()

    def path(self, row: int) -> Path:
        """The file of a sample."""
        return self._paths[row]

    def size_in_file(self, row: int) -> tuple[int, int]:
        """Width and height of a picture before it was resized. Raises DataError."""
        from cnncli.data.formats import decoding  # noqa: PLC0415 - as above

        return decoding.size_of(self._paths[row])

    def keep_none(self) -> None:
        """From now on pictures are decoded each time they are asked for: where each is looked at just once."""
        with self._lock:
            self._kept = np.empty((0, *self.shape[1:]), np.uint8)
            self._filled = 0
            self._place[:] = -1

    def _begin_anew(self) -> None:
        self._lock = Lock()
        self._coming: dict[int, Future[_Piece]] = {}  # begun, and not yet asked for
        self._announced: dict[int, None] = {}  # rows that are to be begun when there is room; in their order

    def _take(self, rows: list[int]) -> dict[int, Future[_Piece]]:
        """Who decodes these rows, which are expected no longer."""
        is_full = len(self._coming) >= self._most_ahead
        if is_full and not any(row in self._coming or row in self._announced for row in rows):
            self._coming, self._announced = {}, {}  # others are asked for than were announced
        pieces = {row: self._coming.pop(row) for row in rows if row in self._coming}
        for row in rows:
            self._announced.pop(row, None)
        pieces |= self._begin([row for row in rows if row not in pieces])
        self._begin_announced()
        return pieces

    def _begin_announced(self) -> None:
        """As many as there is room for; the others wait until some were asked for."""
        room = self._most_ahead - len(self._coming)
        rows = list(islice(self._announced, max(room, 0)))
        for row in rows:
            del self._announced[row]
        self._coming |= self._begin([row for row in rows if self._place[row] < 0])

    def _begin(self, rows: list[int]) -> dict[int, Future[_Piece]]:
        size = min(_PIECE, max(_FEW, -(-len(rows) // self._crew.size)))  # so that all of the crew have some
        pieces = [rows[start : start + size] for start in range(0, len(rows), size)]
        futures = [self._crew.submit(partial(self._decoded, piece)) for piece in pieces]
        return {row: future for piece, future in zip(pieces, futures, strict=True) for row in piece}

    def _decoded(self, rows: list[int]) -> _Piece:
        """These pictures, which are also kept where there is room."""
        found = dict(zip(rows, self._by_process(rows) or map(self._try, rows), strict=True))
        with self._lock:
            for row, picture in found.items():
                if not isinstance(picture, DataError) and self._place[row] < 0 and self._filled < len(self._kept):
                    self._keep(row, picture)
                    self._coming.pop(row, None)
            if self._filled == len(self._paths):
                self._decoders = None  # they end when no split needs them any more
        return found

    def _keep(self, row: int, picture: Picture) -> None:
        """The place is told last: who looks at it has no lock, or is a child that was forked meanwhile."""
        place = self._filled
        self._filled += 1
        self._kept[place] = picture
        self._place[row] = place

    def _by_process(self, rows: list[int]) -> list[Picture | DataError] | None:
        """The same, decoded beside this process; None where that is not worth while, or not possible yet."""
        decoders = self._decoders
        if len(rows) < _FEW or decoders is None:
            return None
        return decoders.decode([self._paths[row] for row in rows])

    def _try(self, row: int) -> Picture | DataError:
        try:
            return self._decode(self._paths[row])
        except DataError as error:
            return error


def open_pictures(files: Mapping[str, Sequence[Path]], shape: Shape, resize: Resize) -> dict[str, Pictures]:
    """The pictures of each split; together they keep at most a quarter of the memory that there is."""
    count = sum(map(len, files.values()))
    keep = memory_limit() // 2
    crew = Crew(min(_MOST_THREADS, available_cores()))
    decoders = Decoders(shape, resize) if POSSIBLE and count >= _MANY else None
    return {
        name: Pictures(paths, shape, resize, keep=keep * len(paths) // count, crew=crew, decoders=decoders)
        for name, paths in files.items()
    }


def _decodable(found: _Piece) -> dict[int, Picture]:
    """All of them. Raises UnreadableError if some could not be decoded."""
    reasons = {row: str(result) for row, result in found.items() if isinstance(result, DataError)}
    if reasons:
        raise UnreadableError(reasons)
    return {row: result for row, result in found.items() if not isinstance(result, DataError)}
