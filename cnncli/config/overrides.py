"""`--set key.path=value`: changes to the configuration's tree before it is validated.

What comes from an override carries the override as its place, so that every later message about it names
it: `--set optimizer.lr=abc: 'lr' must be ...`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cnncli.config.document import compose
from cnncli.config.naming import names_of
from cnncli.config.place import Place, Problems
from cnncli.config.tree import Entry, ListNode, MapNode, ScalarNode, Tree, is_null, plain
from cnncli.config.wording import did_you_mean, shown
from cnncli.wording import plural, printable

LAYERS = ("model", "layers")
KINDS: dict[tuple[str, ...], str] = {("data",): "source"}
"""The key under which a bare word stands in a mapping, where it is not `type`."""


def label(override: str) -> str:
    """What stands for the file's name in problems of an override."""
    return f"--set {printable(override)}"


def apply(tree: Tree | None, overrides: Sequence[str], defaults: Mapping[str, str], problems: Problems) -> Tree | None:
    """The tree with the overrides put in, one after the other; those that cannot be are left out as problems.

    `defaults` are the words that sections consist of where they are absent.
    """
    for text in overrides:
        place = Place(label(text))
        path, equals, value_text = text.partition("=")
        steps = tuple(step.strip() for step in path.split("."))
        if not equals or not all(steps):
            problems.add(place, "expected key.path=value, as in optimizer.lr=0.01")
            continue
        before = len(problems)
        value = compose(value_text, lambda line, column, place=place: place, problems)  # type: ignore[misc]
        if len(problems) > before:
            continue
        try:
            tree = _Setting(place, value or ScalarNode(place, None), defaults).put(tree, (), steps)
        except _UnreachableError as error:
            problems.add(place, str(error))
    return tree


class _UnreachableError(Exception):
    """The path leads nowhere."""


@dataclass(frozen=True)
class _Setting:
    place: Place
    value: Tree
    defaults: Mapping[str, str]

    def put(self, tree: Tree | None, path: tuple[str, ...], steps: tuple[str, ...]) -> Tree:
        """A copy of `tree`, which stands at `path`, with the value at `steps` below it."""
        if not steps:
            return self.value
        if isinstance(tree, ListNode):
            index = _index(tree, path, steps[0])
            items = list(tree.items)
            items[index] = self.put(items[index], (*path, steps[0]), steps[1:])
            return ListNode(tree.place, tuple(items))
        mapping = self._mapping(tree, path)
        entry = mapping.entries.get(steps[0], Entry(self.place, ScalarNode(self.place, None)))
        place = self.place if len(steps) == 1 else entry.place
        changed = Entry(place, self.put(entry.value, (*path, steps[0]), steps[1:]))
        return MapNode(mapping.place, {**mapping.entries, steps[0]: changed})

    def _mapping(self, tree: Tree | None, path: tuple[str, ...]) -> MapNode:
        """The mapping at a path: `adam` stands for `{type: adam}`, and nothing for what the default is."""
        if isinstance(tree, MapNode):
            return tree
        if tree is None or is_null(tree):
            default = self.defaults.get(path[0]) if len(path) == 1 else None
            tree = ScalarNode(self.place, default)
        if isinstance(tree, ScalarNode) and isinstance(tree.value, str):
            return MapNode(tree.place, {KINDS.get(path, "type"): Entry(tree.place, tree)})
        if is_null(tree):
            return MapNode(self.place, {})
        raise _UnreachableError(f"{shown('.'.join(path))} is {shown(plain(tree))} and has no keys")


def _index(tree: ListNode, path: tuple[str, ...], step: str) -> int:
    """The position in a list that a step of a path means: a number, or among layers a name."""
    where = shown(".".join(path))
    if step.isdecimal() and step.isascii():
        if len(step) < len(str(len(tree.items))) + 1 and int(step) < len(tree.items):
            return int(step)
        raise _UnreachableError(f"{where} has {plural(len(tree.items), 'item')}, counted from 0; there is no {step}")
    if path != LAYERS:
        raise _UnreachableError(f"{where} is a list: expected a position (counted from 0), but got {shown(step)}")
    names = names_of(tree)
    if step in names:
        return names.index(step)
    known = [name for name in names if name is not None]
    raise _UnreachableError(f"there is no layer {shown(step)}{did_you_mean(step, known)}")
