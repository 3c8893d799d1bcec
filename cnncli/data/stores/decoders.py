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

import cnncli
from cnncli.data.files import fill
from cnncli.data.formats.resize import Resize
from cnncli.data.stores.protocol import BAD, LENGTH
from cnncli.errors import DataError

Picture = NDArray[np.uint8]
Shape = tuple[int, ...]

POSSIBLE = os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)
"""Whether this is a Python that can start another, and a system that lets one wait for several pipes."""


class DecoderLostError(Exception):
    """The process has ended, or does not start."""


class Decoder:
    """Such a process, seen from outside."""

    def __init__(self, shape: Shape, resize: Resize) -> None:
        """Starts it. Raises DecoderLostError where that is impossible."""
        self._shape = shape
        self._ready = False
        package = str(Path(cnncli.__file__).parents[1])
        try:
            self._process = subprocess.Popen(
                # In a session of its own: Ctrl-C is for the trainer to answer.
                [sys.executable, "-P", "-m", "cnncli.data.stores.decoder", *map(str, shape), resize],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([package, *filter(os.path.isabs, sys.path)])},
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

    def is_ready(self) -> bool:
        """Whether it has started. Raises DecoderLostError if it never will."""
        if not self._ready and select.select([self._from], [], [], 0)[0]:
            self._read(1)
            self._ready = True
        return self._ready

    def decode(self, paths: Sequence[Path]) -> list[Picture | DataError]:
        """Each picture, (C, H, W), or what is wrong with it. Raises DecoderLostError."""
        try:
            for path in paths:
                encoded = os.fsencode(path)
                self._to.write(len(encoded).to_bytes(LENGTH, "little") + encoded)
            self._to.flush()
        except OSError as error:
            raise DecoderLostError from error
        return [self._answer() for _ in paths]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):  # of what could not be sent any more
            self._to.close()
        self._from.close()

    def _answer(self) -> Picture | DataError:
        if self._read(1) == BAD:
            return DataError(self._read(int.from_bytes(self._read(LENGTH), "little")).decode())
        picture = np.empty(self._shape, np.uint8)
        if fill(picture, self._from) != picture.size:
            raise DecoderLostError
        return picture

    def _read(self, count: int) -> bytes:
        content = self._from.read(count)
        if len(content) != count:
            raise DecoderLostError
        return content


class Decoders:
    """As many of them as are asked at the same time; those that have nothing to do wait for the next."""

    def __init__(self, shape: Shape, resize: Resize) -> None:
        self._new = partial(Decoder, shape, resize)
        self._idle: SimpleQueue[Decoder] = SimpleQueue()
        weakref.finalize(self, _close, self._idle)

    def decode(self, paths: Sequence[Path]) -> list[Picture | DataError] | None:
        """Each picture, (C, H, W), or what is wrong with it; None while the process starts, or where none can."""
        try:
            decoder = self._taken()
        except DecoderLostError:
            return None
        try:
            answers = decoder.decode(paths) if decoder.is_ready() else None
        except DecoderLostError:
            decoder.close()
            return None
        self._idle.put(decoder)
        return answers

    def dismiss(self) -> None:
        """End those that have nothing to do."""
        _close(self._idle)

    def _taken(self) -> Decoder:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._new()


def _close(idle: SimpleQueue[Decoder]) -> None:
    with suppress(Empty):
        while True:
            idle.get_nowait().close()
