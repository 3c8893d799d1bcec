"""Sections that choose one kind out of a registry: a bare word, or a mapping with the kind and its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from cnncli.config.place import Problems
from cnncli.config.translate import unknown_name
from cnncli.config.tree import MapNode, ScalarNode, Tree, plain
from cnncli.config.wording import a, choices, shown
from cnncli.wording import printable

T = TypeVar("T")

_LONGEST = 40
"""So much of a wrong key is shown."""


def kind_of(tree: Tree, key: str = "type") -> str | None:
    """The name of the kind, as it is written; None where there is no such word."""
    if isinstance(tree, MapNode) and key in tree.entries:
        tree = tree.entries[key].value
    return tree.value if isinstance(tree, ScalarNode) and isinstance(tree.value, str) else None


def choose(
    tree: Tree, registry: Mapping[str, type[T]], subject: str, problems: Problems, key: str = "type"
) -> tuple[type[T], MapNode] | None:
    """The class that was chosen and its options, without `key`; None, and a problem, where there is none.

    `subject` is what is chosen: "layer", "loss", ...
    """
    names = list(registry)
    if not isinstance(tree, MapNode) and kind_of(tree) is None:
        given = shown(plain(tree))
        message = f"expected {a(subject)}: a word, or a mapping with '{key}'; but this is {given}"
        problems.add(tree.place, message)
        return None
    if isinstance(tree, MapNode) and key not in tree.entries:
        problems.add(tree.place, _without_kind(tree, names, subject, key))
        return None
    name = kind_of(tree, key)
    place = tree.entries[key].value if isinstance(tree, MapNode) else tree
    if name is None:
        given = shown(plain(place))
        problems.add(place.place, f"'{key}' must be a word, but is {given} (valid: {choices(names)})")
        return None
    if name not in registry:
        problems.append(unknown_name(place, name, subject, names))
        return None
    return registry[name], tree.without(key) if isinstance(tree, MapNode) else MapNode(tree.place, {})


def _without_kind(tree: MapNode, names: list[str], subject: str, key: str) -> str:
    """What to say where the key that chooses is missing, with the common slips: `{conv2d: {...}}`, `{typ: conv2d}`."""
    needs = f"this {subject} needs '{key}'"
    for written, entry in tree.entries.items():
        if written in names:
            return f"{needs}; write {{{key}: {written}, ...}} with its options beside it"
        if kind_of(entry.value) in names:
            kind = kind_of(entry.value)
            return f"{needs}; write {key}: {kind} instead of {printable(written[:_LONGEST])}: {kind}"
    return f"{needs} (valid: {choices(names)})"
