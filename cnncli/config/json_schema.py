"""The JSON Schema (draft 2020-12) of a configuration, for editors that complete and check YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cnncli.config.loading import DEFAULTS, Head
from cnncli.config.naming import NAME
from cnncli.config.network import ModelSection
from cnncli.data import SOURCES
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES
from cnncli.training.optimizers import OPTIMIZERS
from cnncli.training.schedules import SCHEDULES
from cnncli.training.settings import TrainSettings

Schema = dict[str, Any]
Kinds = Mapping[str, type[BaseModel]]

_REFERENCE = "#/$defs/{model}"
_NODE_KEYS: Schema = {
    "name": {
        "type": "string",
        "pattern": f"^{NAME.pattern}$",
        "description": "what others call it; by default its type and count",
    },
    "inputs": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        "description": "names of the earlier layers that it reads, or input; by default the layer before it",
    },
}


def schema() -> Schema:
    """Which sections, kinds and options there are, with their types, ranges, defaults and descriptions."""
    registries: tuple[Kinds, ...] = (LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, SOURCES)
    models: list[type[BaseModel]] = [
        Head,
        ModelSection,
        TrainSettings,
        *(kind for registry in registries for kind in registry.values()),
    ]
    references, document = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    definitions = document["$defs"]
    found = _Definitions({model: references[model, "validation"]["$ref"] for model in models}, definitions)
    head, network = found.take(Head), found.take(ModelSection)
    layer = found.choice(LAYERS, "type", _NODE_KEYS)
    network["properties"]["layers"] = {
        "type": "array",
        "items": layer,
        "minItems": 1,
        "description": "each reads the one before it, unless it has inputs; the last one is the output",
    }
    network["required"] = ["input", "layers"]
    sections = {
        "data": found.choice(SOURCES, "source"),
        "model": network,
        "loss": {**found.choice(LOSSES, "type"), "default": DEFAULTS["loss"]},
        "optimizer": {**found.choice(OPTIMIZERS, "type"), "default": DEFAULTS["optimizer"]},
        "schedule": {**found.choice(SCHEDULES, "type"), "default": DEFAULTS["schedule"]},
        "train": found.take(TrainSettings),
    }
    for key in ("data", "loss", "optimizer", "schedule", "train"):
        sections[key] = {"anyOf": [sections[key], {"type": "null"}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cnncli configuration",
        "type": "object",
        "properties": {**head["properties"], **sections},
        "required": ["model"],
        "additionalProperties": False,
        "$defs": definitions,
    }


class _Definitions:
    """pydantic's schemas of the models, without its titles, and with what only YAML has added."""

    def __init__(self, references: Mapping[type[BaseModel], str], definitions: Schema) -> None:
        self._names = {model: reference.rpartition("/")[2] for model, reference in references.items()}
        self._definitions = definitions
        for definition in definitions.values():
            _tidy(definition)

    def take(self, model: type[BaseModel]) -> Schema:
        """The schema of a model, out of the definitions."""
        return dict(self._definitions.pop(self._names[model]))

    def choice(self, kinds: Kinds, key: str, others: Schema | None = None) -> Schema:
        """A bare word, or a mapping whose `key` says which options there are beside it."""
        for name, kind in kinds.items():
            definition = self._definitions[self._names[kind]]
            definition["properties"] = {key: {"const": name}, **(others or {}), **definition.get("properties", {})}
            definition["required"] = [key, *definition.get("required", [])]
        words = [name for name, kind in kinds.items() if self._definitions[self._names[kind]]["required"] == [key]]
        branches = [
            {
                "if": {"properties": {key: {"const": name}}, "required": [key]},
                "then": {"$ref": _REFERENCE.format(model=self._names[kind])},
            }
            for name, kind in kinds.items()
        ]
        mapping = {"type": "object", "properties": {key: {"enum": list(kinds)}}, "required": [key], "allOf": branches}
        return {"oneOf": [{"enum": words}, mapping]} if words else mapping


def _tidy(definition: Schema) -> None:
    """Leaves out the titles, which repeat the names, and all but the first line of the descriptions; a kind that
    is one of several in an option needs its type."""
    definition.pop("title", None)
    if "description" in definition:
        definition["description"] = definition["description"].partition("\n")[0]
    for option in definition.get("properties", {}).values():
        option.pop("title", None)
    if "const" in definition.get("properties", {}).get("type", {}):
        definition["required"] = ["type", *definition.get("required", [])]
