"""YAML text to a tree in which everything has its line and column.

Safe by construction: the parser's events become plain scalars, lists and mappings with texts as keys; tags
are refused, so that no other object can be made. Size, depth and the expansion of aliases are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from cnncli.config.place import Place, Problems
from cnncli.config.scalars import resolve
from cnncli.config.syntax import explain
from cnncli.config.tree import Entry, ListNode, MapNode, ScalarNode, Tree, plain, walk
from cnncli.config.wording import shown
from cnncli.wording import printable

MAX_BYTES = 16 * 2**20
MAX_VALUES = 300_000
MAX_ALIASED = 100_000
MAX_DEPTH = 64

# What YAML 1.2 leaves out of its character set (section 5.1), and the byte order mark in mid text.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# What an escape in a quoted text can smuggle in.
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

_STANDARD_TAG = "tag:yaml.org,2002:"

Locate = Callable[[int, int], Place]
"""From a line and a column of the text, both counted from 1, to the place to be shown."""


def read_text(path: Path, problems: Problems) -> str | None:
    """The file's text without a byte order mark; None, and a problem, where it cannot be read as text."""
    here = Place(printable(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # never more, whatever the file says of its size
    except IsADirectoryError:
        problems.add(here, "this is a directory; give the YAML file in it")
        return None
    except (OSError, ValueError) as error:
        problems.add(here, f"cannot read the configuration: {getattr(error, 'strerror', None) or error}")
        return None
    if len(data) > MAX_BYTES:
        problems.add(here, f"larger than {MAX_BYTES // 2**20} MiB; keep large weights in a checkpoint")
        return None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line, column = _end_of(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
        message = f"not UTF-8: byte 0x{data[error.start]:02x}; save the file in the UTF-8 encoding"
        problems.add(Place(here.file, line, column), message)
        return None


def compose(text: str, locate: Locate, problems: Problems) -> Tree | None:
    """The tree of one YAML document; None where there is none: nothing in it, or a problem ended it."""
    control = _UNPRINTABLE.search(text)
    if control:
        message = f"the character U+{ord(control[0]):04X} is not allowed in YAML; remove it"
        problems.add(locate(*_end_of(text[: control.start()])), message)
        return None
    try:
        return _Composer(text, locate, problems).document()
    except _StopError as stop:
        problems.add(stop.place, stop.message)
    except yaml.MarkedYAMLError as error:
        line, column, message = explain(error, text)
        problems.add(locate(line, column), message)
    return None


def place_in(file: str) -> Locate:
    """Places in the text of a file."""
    return lambda line, column: Place(file, line, column)


def _end_of(text: str) -> tuple[int, int]:
    """The line and column, from 1, of what follows a text."""
    lines = _LINE_BREAK.split(text)
    return len(lines), len(lines[-1]) + 1


class _StopError(Exception):
    """A mistake after which the rest of the text means nothing."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


class _Composer:
    """Turns the parser's events into a tree; the depth of its recursion is bounded by MAX_DEPTH."""

    def __init__(self, text: str, locate: Locate, problems: Problems) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is some 50 times as fast
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._locate = locate
        self._problems = problems
        self._anchors: dict[str, Tree] = {}
        self._values = 0
        self._aliased = 0

    def document(self) -> Tree | None:
        """The tree of the only document; None where there is none."""
        next(self._events)  # start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        tree = self._node(next(self._events), 0)
        next(self._events)  # end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            message = "a second document starts here; a configuration is one document"
            raise _StopError(self._place(event), message)
        return tree

    def _place(self, event: Any) -> Place:
        return self._locate(event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, depth: int, key: bool = False) -> Tree:
        place = self._place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, place, depth)
        if event.tag is not None:
            tag = shown(event.tag.replace(_STANDARD_TAG, "!!"))
            self._problems.add(place, f"the tag {tag} is not supported; write the value without it")
        self._values += 1
        if self._values > MAX_VALUES:
            raise _StopError(place, f"more than {MAX_VALUES} values; keep large weights in a checkpoint")
        if depth > MAX_DEPTH:
            raise _StopError(place, f"nested more than {MAX_DEPTH} deep")
        tree: Tree
        if isinstance(event, yaml.ScalarEvent):
            tree = self._scalar(event, place, key)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = ListNode(place, tuple(self._node(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)))
        else:
            tree = self._mapping(place, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = tree
        return tree

    def _until(self, end: type) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _scalar(self, event: Any, place: Place, key: bool) -> ScalarNode:
        text = event.value
        if _UNUSABLE.search(text):
            self._problems.add(place, f"the text {shown(text)} holds a character that is not allowed")
        return ScalarNode(place, text if event.style or key else resolve(text, place, self._problems))

    def _mapping(self, place: Place, depth: int) -> MapNode:
        entries: dict[str, Entry] = {}
        merged: list[MapNode] = []
        for event in self._until(yaml.MappingEndEvent):
            key_place = self._place(event)
            self._node(event, depth + 1, key=True)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                self._problems.add(key_place, "a key must be a word; a list, a mapping or an alias cannot be one")
            elif event.value == "<<" and not event.style:
                merged += self._merge(value)
            elif event.value in entries:
                line = entries[event.value].place.on_line
                self._problems.add(
                    key_place, f"the key {shown(event.value)} is already set{line}; remove one of the two"
                )
            else:
                entries[event.value] = Entry(key_place, value)
        for source in merged:
            entries = {**source.entries, **entries}
        return MapNode(place, entries)

    def _merge(self, value: Tree) -> list[MapNode]:
        """The mappings that `<<: *anchor` or `<<: [*first, *second]` brings in; the earlier ones win."""
        sources = value.items if isinstance(value, ListNode) else (value,)
        maps = [source for source in sources if isinstance(source, MapNode)]
        if len(maps) < len(sources):
            given = shown(plain(value))
            message = f"'<<' takes a mapping, as in '<<: *anchor', or a list of them, but is {given}"
            self._problems.add(value.place, message)
        return maps

    def _alias(self, anchor: str | None, place: Place, depth: int) -> Tree:
        tree = self._anchors.get(str(anchor))
        if tree is None:
            raise _StopError(place, f"*{anchor} refers to nothing: no &{anchor} stands before it")
        for _, level in walk(tree, depth):
            self._aliased += 1
            if self._aliased > MAX_ALIASED:
                raise _StopError(place, f"aliases (*{anchor}) expand to more than {MAX_ALIASED} values")
            if level > MAX_DEPTH:
                raise _StopError(place, f"nested more than {MAX_DEPTH} deep by aliases (*{anchor})")
        return tree
