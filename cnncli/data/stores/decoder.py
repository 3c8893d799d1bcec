"""A process that decodes pictures beside the trainer's.

    python -m cnncli.data.stores.decoder CHANNELS HEIGHT WIDTH RESIZE

Paths come in on stdin, each after its length. Out on stdout goes one byte when all is ready; then, for each path, one
byte and the picture, or another byte and what is wrong, after its length. The process ends when stdin does.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from cnncli.data.formats import decoding
from cnncli.data.formats.resize import Resize
from cnncli.data.stores.protocol import BAD, GOOD, LENGTH
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
    """Answers one path after the other."""
    answers.write(GOOD)
    answers.flush()
    while length := asked.read(LENGTH):
        path = Path(os.fsdecode(asked.read(int.from_bytes(length, "little"))))
        try:
            answers.write(GOOD + decoding.decode(path, shape, resize).tobytes())
        except DataError as error:
            text = str(error).encode()
            answers.write(BAD + len(text).to_bytes(LENGTH, "little") + text)
        answers.flush()


if __name__ == "__main__":
    main()
