"""Words that the messages of all rooms share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_LONGEST = 60
"""No name is longer: of a word as long as a file, so much is compared."""


def printable(text: object) -> str:
    """A text or a path with escapes for what cannot be printed: line breaks, terminal codes, broken encodings."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text))


def shape_text(shape: tuple[int, ...]) -> str:
    """(6, 28, 28) to 6x28x28."""
    return "x".join(map(str, shape)) or "1"


def channel_name(channel: int, total: int) -> str:
    """Of one of `total` channels: c07, all with as many digits."""
    return f"c{channel:0{max(len(str(total - 1)), 2)}d}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like a word, whatever the case of both; None where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow to load, and needed for bad input alone

    names = {name.casefold(): name for name in known}
    near = get_close_matches(word[:_LONGEST].casefold(), names, n=1)
    return names[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'train'?` for the nearest of the known names, or nothing where none is near."""
    name = nearest(word, known)
    return "" if name is None else f"; did you mean '{printable(name)}'?"


def no_such_layer(name: str, known: Iterable[str]) -> str:
    """`the network has no such layer; did you mean 'conv1'?`, with all that there are where none is near."""
    there_are = tuple(known)
    return f"the network has no such layer{did_you_mean(name, there_are) or '; there are ' + ', '.join(there_are)}"


def one_of(phrases: Sequence[str]) -> str:
    """`a, b or c`."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"


def plural(number: int, noun: str) -> str:
    """1 map, 2 maps, 1,000 maps."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
