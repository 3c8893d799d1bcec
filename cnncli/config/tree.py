"""YAML as a tree of scalars, lists and mappings, each of which knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from cnncli.config.place import Place

Value: TypeAlias = "str | int | float | bool | None"
Tree: TypeAlias = "ScalarNode | ListNode | MapNode"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text, a number, true, false or null."""

    place: Place
    value: Value


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    place: Place
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """The place of a key, and what it is set to."""

    place: Place
    value: Tree


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; its keys are texts."""

    place: Place
    entries: dict[str, Entry]

    def get(self, key: str) -> Tree | None:
        """The value of a key; None where it is absent or empty (`key:`, `key: null`)."""
        entry = self.entries.get(key)
        return None if entry is None or is_null(entry.value) else entry.value

    def without(self, *keys: str) -> MapNode:
        """A copy that lacks some keys."""
        return MapNode(self.place, {key: entry for key, entry in self.entries.items() if key not in keys})


def is_null(tree: Tree) -> bool:
    """Whether it is `null`, or nothing at all after a key."""
    return isinstance(tree, ScalarNode) and tree.value is None


def plain(tree: Tree) -> Any:
    """The tree as Python's own scalars, tuples and dictionaries."""
    if isinstance(tree, MapNode):
        return {key: plain(entry.value) for key, entry in tree.entries.items()}
    if isinstance(tree, ListNode):
        return tuple(plain(item) for item in tree.items)
    return tree.value


def walk(tree: Tree, depth: int) -> Iterator[tuple[Tree, int]]:
    """Every node of a tree, which itself stands at `depth`, with its depth."""
    stack = [(tree, depth)]
    while stack:
        node, level = stack.pop()
        yield node, level
        if isinstance(node, ListNode):
            stack += [(child, level + 1) for child in node.items]
        elif isinstance(node, MapNode):
            stack += [(entry.value, level + 1) for entry in node.entries.values()]
