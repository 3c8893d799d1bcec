"""What an option may be, in words, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnncli.config.wording import choices
from cnncli.wording import one_of

Schema = dict[str, Any]

_NOUNS = {
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "string": ("a text", "texts"),
}
_OTHERS = {"boolean": "true or false", "null": "null"}


class Expectations:
    """The options of one section, as pydantic's JSON Schema of it describes them."""

    def __init__(self, schema: Schema) -> None:
        self._root = schema

    def at(self, path: Sequence[str | int]) -> Schema:
        """The schema of the option at a path of keys; tags of unions may stand between them."""
        schema = self._root
        for step in path:
            schema = self._step(schema, step)
        return schema

    def kind(self, path: Sequence[str | int]) -> str:
        """The name of the kind (`constant`) that the mapping at a path is of; empty where it has none."""
        return str(self._resolved(self.at(path)).get("properties", {}).get("type", {}).get("const", ""))

    def keys(self, path: Sequence[str | int]) -> list[str]:
        """The keys that the mapping at a path may have."""
        return [key for branch in self._branches(self.at(path)) for key in branch.get("properties", {})]

    def allows(self, path: Sequence[str | int], kind: str) -> bool:
        """Whether the option at a path may be of that JSON type."""
        return any(branch.get("type") == kind for branch in self._branches(self.at(path)))

    def words(self, path: Sequence[str | int]) -> list[str]:
        """The words that the option at a path may be."""
        found = [word for branch in self._branches(self.at(path)) for word in _words(branch)]
        return [word for word in found if isinstance(word, str)]

    def phrase(self, path: Sequence[str | int]) -> str:
        """`a whole number >= 1, a list of 2 such numbers, 'same' or 'valid'`."""
        phrases: dict[str, None] = {}
        numbers = ""
        for branch in self._branches(self.at(path)):
            words = [f"'{word}'" for word in _words(branch)]
            one = self._one(branch)
            if numbers and one.endswith(f" {numbers}"):
                one = f"{one.removesuffix(numbers)}such numbers"
            phrases |= dict.fromkeys(words or [one])
            if branch.get("type") in ("integer", "number"):
                numbers = self._one(branch, plural=True)
        phrases.pop("null", None)
        return one_of(list(phrases) or ["a value of another kind"])

    def describe(self, path: Sequence[str | int]) -> str:
        """The option's one-line description; empty where it has none."""
        return str(self.at(path).get("description", ""))

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._root["$defs"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _step(self, schema: Schema, step: str | int) -> Schema:
        for branch in self._branches(schema):
            properties = branch.get("properties", {})
            if step in properties:
                return dict(properties[step])
            if properties.get("type", {}).get("const") == step:
                return branch
        return schema  # a name that pydantic gives to a branch of a union

    def _branches(self, schema: Schema) -> list[Schema]:
        schema = self._resolved(schema)
        unions = schema.get("anyOf") or schema.get("oneOf")
        return [leaf for branch in unions for leaf in self._branches(branch)] if unions else [schema]

    def _one(self, schema: Schema, plural: bool = False) -> str:
        """A phrase for a schema that is no union."""
        words = _words(schema)
        kind = schema.get("type", "")
        if words:
            return one_of([f"'{word}'" for word in words])
        if kind == "array":
            return self._list(schema) if not plural else "lists"
        if kind == "object":
            return "mappings" if plural else "a mapping" + _tagged(schema)
        if schema.get("format") == "path":
            return "paths" if plural else "a path"
        if kind in _NOUNS:
            return _NOUNS[kind][plural] + _bounds(schema)
        return _OTHERS.get(kind, "a value")

    def _list(self, schema: Schema) -> str:
        items = schema.get("prefixItems") or [schema.get("items", {})]
        inner = one_of(list(dict.fromkeys(self._one(branch, plural=True) for branch in self._branches(items[0]))))
        least, most = schema.get("minItems"), schema.get("maxItems")
        if least is not None and least == most:
            return f"a list of {least} {inner}"
        count = f"{least} to {most} " if least is not None and most is not None else ""
        return f"a list of {count}{inner}" if inner != "lists" else "a nested list of numbers"


def _words(schema: Schema) -> list[Any]:
    return list(schema["enum"]) if "enum" in schema else [schema["const"]] if "const" in schema else []


def _tagged(schema: Schema) -> str:
    """Which keys a mapping needs; of one whose kind is chosen, the key that chooses."""
    required = ["type"] if "const" in schema.get("properties", {}).get("type", {}) else schema.get("required", [])
    return f" with {choices(required)}" if required else ""


def _bounds(schema: Schema) -> str:
    """` >= 1`, ` from 1 to 9`, ` > 0 and < 1`."""
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    limits = ((">", schema.get("exclusiveMinimum")), (">=", least), ("<", schema.get("exclusiveMaximum")), ("<=", most))
    parts = [f"{sign} {limit}" for sign, limit in limits if limit is not None]
    return " " + " and ".join(parts) if parts else ""
