"""The processes that decode pictures, seen from outside (see decoder.py).

Processes and not threads: decoding a small picture takes the interpreter's lock for most of its time, and so long
the trainer would stand still.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import fill
from cnncli.data.formats.resize import Resize
from cnncli.data.stores.forking import in_every_child
from cnncli.data.stores.protocol import BAD, END, LENGTH
from cnncli.errors import DataError
from cnncli.processes import CAN_START_PYTHON, import_path
from cnncli.wording import printable

Picture = NDArray[np.uint8]
Shape = tuple[int, ...]

POSSIBLE = CAN_START_PYTHON and os.name == "posix" and hasattr(select, "poll")
"""Whether another Python can be started, on a system that tells whether a pipe has something."""

_MOST_FAILURES = 3  # to start; after that nobody tries again


class DecoderLostError(Exception):
    """The process has ended, and what is left of it is cleared away; or it does not start."""


class Decoder:
    """Such a process, seen from outside."""

    def __init__(self, shape: Shape, resize: Resize) -> None:
        """Starts it. Raises DecoderLostError where that is impossible."""
        self._shape = shape
        self._ready = False
        try:
            self._process = subprocess.Popen(
                # -P: not the files of the current directory. In a session of its own: Ctrl-C is for us to answer.
                [sys.executable, "-P", "-m", "cnncli.data.stores.decoder", *map(str, shape), resize],
                env={**os.environ, "PYTHONPATH": import_path()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise DecoderLostError from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout

    def is_ready(self, *, wait: bool = False) -> bool:
        """Whether it has started. Raises DecoderLostError if it never will."""
        if not self._ready and (wait or self._has_answer()):
            self._read(1)
            self._ready = True
        return self._ready

    def decode(self, paths: Sequence[Path]) -> list[Picture | DataError]:
        """Each picture, (C, H, W), or what is wrong with it. Raises DecoderLostError."""
        piece = END.join(map(os.fsencode, paths))
        self._write(len(piece).to_bytes(LENGTH, "little") + piece)
        return [self._answer() for _ in paths]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()

    def _has_answer(self) -> bool:
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        return bool(poll.poll(0))

    def _answer(self) -> Picture | DataError:
        if self._read(1) == BAD:
            return DataError(self._read(int.from_bytes(self._read(LENGTH), "little")).decode())
        picture = np.empty(self._shape, np.uint8)
        if fill(picture, self._from) != picture.size:
            raise self._lost()
        return picture

    def _read(self, count: int) -> bytes:
        content = self._from.read(count)
        if len(content) != count:
            raise self._lost()
        return content

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(self._to.fileno(), left) :]  # a buffer would be sent twice if we forked
        except OSError as error:
            raise self._lost() from error

    def _lost(self) -> DecoderLostError:
        self.close()
        return DecoderLostError()


class Decoders:
    """As many of them as are asked at the same time; those that have nothing to do wait for the next.

    They end with this object.
    """

    def __init__(self, shape: Shape, resize: Resize) -> None:
        self._new = partial(Decoder, shape, resize)
        self._failures = 0
        self._begin()
        in_every_child(self._begin_anew)

    def decode(self, paths: Sequence[Path]) -> list[Picture | DataError] | None:
        """Each picture, (C, H, W), or what is wrong with it; None while the process starts, or where none can."""
        if self._failures >= _MOST_FAILURES:
            return None
        try:
            decoder = self._taken()
            if not decoder.is_ready():
                self._idle.put(decoder)
                return None
            return self._answers(decoder, paths)
        except DecoderLostError:
            self._failures += 1
            return None

    def _taken(self) -> Decoder:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._new()

    def _answers(self, decoder: Decoder, paths: Sequence[Path]) -> list[Picture | DataError]:
        """Raises DecoderLostError if this one is lost, and another does not start."""
        try:
            answers = decoder.decode(paths)
        except DecoderLostError:
            return self._one_by_one(paths)
        self._idle.put(decoder)
        return answers

    def _one_by_one(self, paths: Sequence[Path]) -> list[Picture | DataError]:
        """One of these files may have ended the process: it is found by new ones, and not tried in this process."""
        answers: list[Picture | DataError] = []
        decoder: Decoder | None = None
        for path in paths:
            decoder = decoder or self._new()
            decoder.is_ready(wait=True)
            try:
                answers += decoder.decode([path])
            except DecoderLostError:
                decoder = None
                answers.append(DataError(f"{printable(path)}: ends every process that decodes it; save it anew"))
        if decoder is not None:
            self._idle.put(decoder)
        return answers

    def _begin(self) -> None:
        self._idle: SimpleQueue[Decoder] = SimpleQueue()
        self._end = weakref.finalize(self, _close, self._idle)

    def _begin_anew(self) -> None:
        self._end.detach()
        self._begin()


def _close(idle: SimpleQueue[Decoder]) -> None:
    with suppress(Empty):
        while True:
            idle.get_nowait().close()
