"""A process that decodes pictures beside the trainer's.

    python -m cnncli.data.stores.decoder CHANNELS HEIGHT WIDTH RESIZE

Is asked on stdin and answers on stdout (see protocol.py). The process ends when stdin does.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from cnncli.data.formats import decoding
from cnncli.data.formats.resize import Resize
from cnncli.data.stores.protocol import BAD, END, GOOD, LENGTH
from cnncli.errors import DataError

_NICENESS = 5  # the trainer goes first


def main() -> None:
    """Decodes until nobody asks any more."""
    *sizes, resize = sys.argv[1:]
    os.nice(_NICENESS)
    decoding.pass_over_oddities()
    with suppress(BrokenPipeError):
        serve(tuple(map(int, sizes)), cast(Resize, resize), sys.stdin.buffer, sys.stdout.buffer)


def serve(shape: tuple[int, ...], resize: Resize, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answers one path after the other; a piece is read whole before, so that nobody waits who is waited for."""
    answers.write(GOOD)
    answers.flush()
    while length := asked.read(LENGTH):
        for encoded in asked.read(int.from_bytes(length, "little")).split(END):
            answers.write(_answer(Path(os.fsdecode(encoded)), shape, resize))
        answers.flush()


def _answer(path: Path, shape: tuple[int, ...], resize: Resize) -> bytes:
    try:
        return GOOD + decoding.decode(path, shape, resize).tobytes()
    except DataError as error:
        text = str(error).encode()
        return BAD + len(text).to_bytes(LENGTH, "little") + text


if __name__ == "__main__":
    main()
