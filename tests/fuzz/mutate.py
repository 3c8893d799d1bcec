"""Damage: functions from bytes to bytes, drawn at random."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence

NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HUGE = (*NUMBERS, 2**40, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
WRITTEN = ("0", "-1", "1", "65536", "4294967296", "9223372036854775807", "9" * 30, "1e999", "-0", "nan", "1_0", "0x10")
_DIGITS = re.compile(rb"[0-9]+")

Damage = Callable[[random.Random, bytearray], None]


def mutated(rng: random.Random, content: bytes, words: Sequence[bytes] = (), others: Sequence[bytes] = ()) -> bytes:
    """`content` after one to four kinds of damage; `words` may be put into it, and pieces of `others`."""
    result = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        kind = rng.randrange(len(DAMAGES) + bool(words) * 3 + bool(others))
        if kind < len(DAMAGES):
            DAMAGES[kind](rng, result)
        elif words and kind < len(DAMAGES) + 3:
            _replace(rng, result, rng.choice(words))
        else:
            _replace(rng, result, _piece(rng, rng.choice(others)))
    return bytes(result)


def _span(rng: random.Random, content: bytearray) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(len(content), start + rng.choice((0, 1, 2, 4, 8, 16, 64, 256)))


def _piece(rng: random.Random, other: bytes) -> bytes:
    start = rng.randint(0, len(other))
    return other[start : start + rng.choice((1, 4, 16, 64, 256, len(other)))]


def _replace(rng: random.Random, content: bytearray, piece: bytes) -> None:
    start, stop = _span(rng, content)
    content[start : stop if rng.random() < 0.5 else start] = piece


def _flip(rng: random.Random, content: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _flip_early(rng: random.Random, content: bytearray) -> None:
    """Headers stand at the start."""
    if content:
        content[rng.randrange(min(len(content), 64))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _truncate(rng: random.Random, content: bytearray) -> None:
    del content[rng.randint(0, len(content)) :]


def _behead(rng: random.Random, content: bytearray) -> None:
    del content[: rng.choice((1, 2, 4, 8, 16))]


def _cut(rng: random.Random, content: bytearray) -> None:
    start, stop = _span(rng, content)
    del content[start:stop]


def _double(rng: random.Random, content: bytearray) -> None:
    start, stop = _span(rng, content)
    content[start:start] = content[start:stop] * rng.choice((1, 1, 2, 100))


def _noise(rng: random.Random, content: bytearray) -> None:
    _replace(rng, content, rng.randbytes(rng.choice((1, 2, 4, 16, 200))))


def _number(rng: random.Random, content: bytearray) -> None:
    """Overwrites 1, 2, 4 or 8 bytes by a number at the edge of some range."""
    size, code = rng.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    start = rng.randrange(max(1, min(len(content), 64) if rng.random() < 0.5 else len(content)))
    value = rng.choice(HUGE) & (1 << 8 * size) - 1
    content[start : start + size] = struct.pack(rng.choice("<>") + code, value)


def _written_number(rng: random.Random, content: bytearray) -> None:
    """Another number where digits stand."""
    found = list(_DIGITS.finditer(content[:100_000]))
    if found:
        place = rng.choice(found)
        content[place.start() : place.end()] = rng.choice(WRITTEN).encode()


def _append(rng: random.Random, content: bytearray) -> None:
    content += rng.choice((b"\0", b"\n", b"!" * 100, bytes(content[:1000]), bytes(4096)))


DAMAGES: tuple[Damage, ...] = (
    _flip,
    _flip_early,
    _truncate,
    _behead,
    _cut,
    _double,
    _noise,
    _number,
    _written_number,
    _append,
)
