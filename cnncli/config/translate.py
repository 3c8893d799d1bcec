"""Options against the pydantic model that declares them; what pydantic finds, in our own words and places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

from cnncli.config.expectation import Expectations
from cnncli.config.place import Problems
from cnncli.config.scalars import number_in
from cnncli.config.tree import Entry, ListNode, MapNode, ScalarNode, Tree, plain
from cnncli.config.wording import choices, did_you_mean, nearest, shown
from cnncli.errors import Problem

M = TypeVar("M", bound=BaseModel)
Schema = dict[str, Any]
Steps = tuple[str | int, ...]

_NO_KIND = ("union_tag_invalid", "union_tag_not_found", "model_attributes_type")
"""What pydantic calls it where a value chooses none of the kinds there are."""
_INSIDE = re.compile(r"at ((?:\[\d+\])+): ")
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def validate(model: type[M], node: MapNode, owner: str, problems: Problems, other_keys: Sequence[str] = ()) -> M | None:
    """The model with the options of `node`; None, and problems, where they are not valid.

    `owner` is what the messages call the section; `other_keys` are valid beside the model's, but are
    not in `node`.
    """
    values = plain(node)
    for key in _path_options(model):
        if isinstance(values.get(key), str):
            values[key] = Path(values[key])
    try:
        # Strict: '3' and true are no numbers, 3.0 is no whole number, and 1 is no boolean.
        return model.model_validate(values, strict=True)
    except ValidationError as error:
        translator = _Translator(model.model_json_schema(), node, owner, other_keys)
        problems += translator.problems([_Finding.of(item, node) for item in error.errors(include_url=False)])
    return None


def _path_options(model: type[BaseModel]) -> list[str]:
    """The options that are paths, which strict mode wants as such."""
    return [key for key, field in model.model_fields.items() if Path in (field.annotation, *get_args(field.annotation))]


@dataclass(frozen=True)
class _Finding:
    """One of pydantic's errors. `path` is the part of its location that exists in the file."""

    kind: str
    location: Steps
    path: Steps
    tree: Tree
    context: dict[str, Any]
    message: str | None
    """What a validator of ours says; None where pydantic itself found the error."""

    @classmethod
    def of(cls, error: Any, node: MapNode) -> _Finding:
        path, tree = _follow(node, error["loc"])
        context = error.get("ctx", {})
        message = str(context["error"]) if error["type"] == "value_error" else None
        if error["type"] not in get_args(ErrorType):
            message = error["msg"]
        return cls(error["type"], error["loc"], path, tree, context, message)

    @property
    def names_a_key(self) -> bool:
        """It is about a key as such: one that is missing or unknown."""
        return self.kind in ("missing", "extra_forbidden") and isinstance(self.location[-1], str)

    @property
    def item(self) -> Steps:
        """The path to the item of a list of kinds that it is about, as ('augment', 0); empty where it is not in one."""
        for length, step in enumerate(self.location, 1):
            kind = self.location[length : length + 1]
            if isinstance(step, int) and (isinstance(kind[0], str) if kind else self.kind in _NO_KIND):
                return self.location[:length]
        return ()

    @property
    def option(self) -> Steps:
        """The path as far as it is made of keys: what the user knows as one option."""
        numbers = [i for i, step in enumerate(self.path) if isinstance(step, int)]
        return self.path[: numbers[0]] if numbers else self.path


def _follow(tree: Tree, location: Steps) -> tuple[Steps, Tree]:
    """Walks as far as the location exists, leaving out the names that pydantic gives to branches of unions."""
    path: list[str | int] = []
    for step in location:
        if isinstance(tree, MapNode) and step in tree.entries:
            tree = tree.entries[str(step)].value
        elif isinstance(tree, ListNode) and isinstance(step, int) and step < len(tree.items):
            tree = tree.items[step]
        else:
            continue
        path.append(step)
    return tuple(path), tree


@dataclass(frozen=True)
class _Translator:
    schema: Schema
    node: MapNode
    owner: str
    other_keys: Sequence[str] = ()

    @cached_property
    def expectations(self) -> Expectations:
        return Expectations(self.schema)

    def problems(self, findings: Sequence[_Finding]) -> list[Problem]:
        """One problem an option, however many branches of a union it failed; items of lists of kinds by themselves."""
        items: dict[Steps, list[_Finding]] = {}
        for finding in findings:
            items.setdefault(finding.item, []).append(finding)
        own = self._own(items.pop((), []))
        return own + [problem for item, group in items.items() for problem in self._item(item, group)]

    def _own(self, findings: Sequence[_Finding]) -> list[Problem]:
        keys = [finding for finding in findings if finding.names_a_key and not self._is_misspelt(finding, findings)]
        options: dict[Steps, list[_Finding]] = {}
        for finding in findings:
            if not finding.names_a_key:
                options.setdefault(finding.option, []).append(finding)
        named = [self._missing(finding) if finding.kind == "missing" else self._unknown(finding) for finding in keys]
        return named + [self._wrong(option, group) for option, group in options.items()]

    def _item(self, item: Steps, findings: Sequence[_Finding]) -> list[Problem]:
        """Of one item in a list of kinds, as `{type: crop, padding: x}`: a section of its own, with an owner."""
        _, tree = _follow(self.node, item)
        if findings[0].kind in _NO_KIND:
            return [self._no_kind(tree, item[:-1])]
        kind = str(findings[0].location[len(item)])
        node = tree if isinstance(tree, MapNode) else MapNode(tree.place, {})
        inner = []
        for finding in findings:
            location = finding.location[len(item) + 1 :]
            path, place = _follow(node, location)
            inner.append(replace(finding, location=location, path=path, tree=place))
        return _Translator(self._definition(kind), node, kind).problems(inner)

    def _definition(self, kind: str) -> Schema:
        """The schema of a kind that items of a list may be."""
        definitions = self.schema["$defs"]
        named = (d for d in definitions.values() if d.get("properties", {}).get("type", {}).get("const") == kind)
        return {**next(named), "$defs": definitions}

    def _kinds(self, option: Steps) -> list[str]:
        """The kinds that items of a list may be; none where the option is no list of kinds."""
        items = self.expectations.at(option).get("items", {})
        return Expectations({**items, "$defs": self.schema.get("$defs", {})}).words(())

    def _no_kind(self, tree: Tree, option: Steps) -> Problem:
        """What to say of an item that is none of the kinds."""
        kinds, subject = self._kinds(option), f"item of {'.'.join(map(str, option))}"
        if isinstance(tree, MapNode) and "type" not in tree.entries:
            misplaced = next((key for key in tree.entries if key in kinds), None)
            fix = f" (valid: {choices(kinds)})"
            if misplaced is not None:
                fix = f"; write {{type: {misplaced}, ...}} with its options beside it"
            return tree.place.problem(f"this {subject} needs 'type'{fix}")
        name = tree.entries["type"].value if isinstance(tree, MapNode) else tree
        if isinstance(name, ScalarNode) and isinstance(name.value, str):
            return unknown_name(name, name.value, subject, kinds)
        if isinstance(tree, MapNode):
            given = shown(plain(name))
            return name.place.problem(f"'type' must be a word, but is {given} (valid: {choices(kinds)})")
        given = shown(plain(tree))
        return tree.place.problem(f"expected an {subject}: a word, or a mapping with 'type'; but this is {given}")

    def _owner(self, location: Steps) -> str:
        """What holds the last step of a location: the section, an option, or the kind that is chosen there."""
        path, _ = _follow(self.node, location[:-1])
        named = self.expectations.kind(location[:-1]) or (path[-1] if path else self.owner)
        return str(named)

    def _keys(self, location: Steps) -> list[str]:
        """The keys that are valid where the last step of a location stands."""
        return self.expectations.keys(location[:-1]) + list(self.other_keys if len(location) == 1 else ())

    def _is_misspelt(self, missing: _Finding, findings: Sequence[_Finding]) -> bool:
        """Whether a missing key is what an unknown one beside it means: one message is enough."""
        return missing.kind == "missing" and any(
            nearest(str(other.location[-1]), self._keys(other.location)) == missing.location[-1]
            for other in findings
            if other.kind == "extra_forbidden" and other.location[:-1] == missing.location[:-1]
        )

    def _missing(self, finding: _Finding) -> Problem:
        key = finding.location[-1]
        expected = self.expectations.phrase(finding.location)
        description = self.expectations.describe(finding.location)
        about = f" ({description})" if description else ""
        return finding.tree.place.problem(f"{self._owner(finding.location)} needs '{key}': {expected}{about}")

    def _unknown(self, finding: _Finding) -> Problem:
        key = str(finding.location[-1])
        owner, keys = self._owner(finding.location), self._keys(finding.location)
        return _unknown_key(_entry(self.node, finding.path), key, owner, keys)

    def _wrong(self, option: Steps, group: Sequence[_Finding]) -> Problem:
        deepest = max(group, key=lambda finding: len(finding.path))
        subject = f"'{'.'.join(map(str, option))}'" if option else self.owner
        for finding in group:
            if finding.message is not None:
                return self._stated(finding, finding.message, subject)
            if finding.kind == "union_tag_invalid":
                names = re.findall("'([^']*)'", finding.context["expected_tags"])
                return unknown_name(
                    finding.tree, finding.context["tag"], f"kind of {'.'.join(map(str, option))}", names
                )
        expected = self.expectations.phrase(option)
        holder = "holds" if deepest.path != option else "is"
        given = plain(deepest.tree)
        return deepest.tree.place.problem(
            f"{subject} must be {expected}, but {holder} {shown(given)}{self._hint(option, deepest.tree)}"
        )

    def _stated(self, finding: _Finding, message: str, subject: str) -> Problem:
        """What a validator of the model itself says; 'at [0][1]: ...' is a place in nested lists."""
        tree = finding.tree
        inside = _INSIDE.match(message)
        if inside:
            _, tree = _follow(tree, tuple(int(index) for index in re.findall(r"\d+", inside[1])))
            message = f"{message.partition(', got ')[0]}, got {shown(plain(tree))}"
        elif isinstance(tree, ScalarNode) and message.startswith("expected") and "got" not in message:
            message += f", but got {shown(tree.value)}"
        return tree.place.problem(f"{subject}: {message}")

    def _hint(self, option: Steps, tree: Tree) -> str:
        """How to mend the commonest slips."""
        value = tree.value if isinstance(tree, ScalarNode) else None
        numeric = self.expectations.allows(option, "integer") or self.expectations.allows(option, "number")
        if isinstance(value, float) and value.is_integer() and self.expectations.allows(option, "integer"):
            return f"; write {int(value)}"
        if not isinstance(value, str):
            return ""
        if value in self._kinds(option):
            return f"; write [{value}]"
        if value in _SWITCHES and self.expectations.allows(option, "boolean"):
            return f"; write {_SWITCHES[value]}"
        if numeric and number_in(value) is not None:
            return "; remove the quotes"
        return did_you_mean(value, self.expectations.words(option))


def _entry(node: MapNode, path: Steps) -> Entry:
    """The entry at the end of a path that exists."""
    _, parent = _follow(node, path[:-1])
    assert isinstance(parent, MapNode)
    return parent.entries[str(path[-1])]


def _unknown_key(entry: Entry, key: str, owner: str, keys: Sequence[str]) -> Problem:
    valid = f"valid keys: {choices(keys)}" if keys else "it takes none"
    return entry.place.problem(f"unknown key {shown(key)} in {owner}{did_you_mean(key, keys)} ({valid})")


def unknown_name(tree: Tree, name: str, subject: str, names: Sequence[str]) -> Problem:
    """A word that chooses no kind there is."""
    nearest_name = did_you_mean(name, names)
    return tree.place.problem(f"unknown {subject} {shown(name)}{nearest_name} (valid: {choices(names)})")
