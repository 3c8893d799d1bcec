"""Writes reference.md, every option of a configuration: python docs/make_reference.py.

Kinds, options, defaults and descriptions come from the classes themselves, the examples from examples.yaml.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from pydantic import BaseModel

from cnncli.config import schema
from cnncli.config.expectation import Expectations
from cnncli.config.loading import DEFAULTS, Head
from cnncli.config.network import ModelSection
from cnncli.data import SOURCES
from cnncli.data.augmentation import AUGMENTATIONS
from cnncli.layers import LAYERS
from cnncli.layers.initializers import INITIALIZERS
from cnncli.losses import LOSSES
from cnncli.training.optimizers import OPTIMIZERS
from cnncli.training.schedules import SCHEDULES
from cnncli.training.settings import EarlyStopping, Rhythm, TrainSettings, WatchSettings

PAGE = Path(__file__).with_name("reference.md")
EXAMPLES = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8"))

Kinds = Mapping[str, type[BaseModel]]
Row = tuple[str, str, str, str]
"""An option, what it may be, its default and what it means."""

INTRODUCTION = f"""\
# Reference

Everything that a configuration may say. This page is made by `python docs/make_reference.py` from the classes that read
it; `cnncli config schema` prints the same as JSON Schema, and `cnncli config show` a file with every default.

A configuration is a mapping with `model`, and where they are wanted [`data`](#data-sources), [`loss`](#losses) (by
default `{DEFAULTS["loss"]}`), [`optimizer`](#optimizers) (by default `{DEFAULTS["optimizer"]}`),
[`schedule`](#schedules) (by default `{DEFAULTS["schedule"]}`) and [`train`](#train).
Where one of several kinds is chosen a bare word stands for that kind with its defaults: `relu` is `{{type: relu}}`.
Every example loads; those that show another section do beside a `model`.
"""

MODEL = """\
## model

`input` is the shape of one sample, and `layers` a list; the last layer is the output."""

LAYERS_INTRODUCTION = """\
## Layers

Beside its own options every layer takes these."""

INITIALISERS_INTRODUCTION = """\
## Initialisers

A layer with parameters takes `init: {weight: ..., bias: ...}` with one of these for each, by its name or as a mapping
with its options; what is left out has the default that stands in the layer's table. `fan_in` and `fan_out` are the
numbers of inputs and outputs that one weight connects, the kernel's area included. Parameters are drawn from `seed` and
the layer's name. The numbers themselves can be written as `weight: [[...]]` and `bias: [...]` of the layer instead."""

LOSSES_INTRODUCTION = """\
## Losses

The loss of a batch is the mean over its samples. A network that ends in softmax is read before it by cross_entropy, and
one that ends in sigmoid by bce_with_logits, because the pair is computed stably as one."""

OPTIMIZERS_INTRODUCTION = """\
## Optimizers

theta are the parameters, g is the gradient of the mean loss, and t counts the steps from 1."""

SCHEDULES_INTRODUCTION = """\
## Schedules

`schedule` says how the optimizer's `lr` changes. [Schedules](schedules.md) shows them, and how to find the rate to
start from."""

AUGMENTATIONS_INTRODUCTION = """\
## Augmentations

`augment`, an option of every data source, is a list of these: training samples go through them one after the other.
[Augmentation](augmentation.md) shows what they do."""

SOURCES_INTRODUCTION = """\
## Data sources

`data` has `source`, one of these, and its options. Relative paths start at the configuration's directory. Bytes become
numbers from 0 to 1; other numbers are taken as they are."""


def page() -> str:
    """The whole page."""
    blocks = [
        INTRODUCTION.rstrip(),
        _table(_options(Head)),
        MODEL,
        _table(_options(ModelSection)),
        *_section(LAYERS_INTRODUCTION, LAYERS, "layers", [_table(_node_options())]),
        *_section(INITIALISERS_INTRODUCTION, INITIALIZERS, "initialisers"),
        *_section(LOSSES_INTRODUCTION, LOSSES, "losses"),
        *_section(OPTIMIZERS_INTRODUCTION, OPTIMIZERS, "optimizers"),
        *_section(SCHEDULES_INTRODUCTION, SCHEDULES, "schedules"),
        *_section(SOURCES_INTRODUCTION, SOURCES, "sources"),
        *_section(AUGMENTATIONS_INTRODUCTION, AUGMENTATIONS, "augmentations"),
        "## train",
        *_described(TrainSettings),
        _fenced(EXAMPLES["train"]),
        "### validate_every",
        *_described(Rhythm),
        _fenced(EXAMPLES["validate_every"]),
        "### early_stopping",
        *_described(EarlyStopping),
        _fenced(EXAMPLES["early_stopping"]),
        "### watch",
        *_described(WatchSettings),
        _fenced(EXAMPLES["watch"]),
    ]
    return "\n\n".join(blocks) + "\n"


def _section(introduction: str, kinds: Kinds, examples: str, after: list[str] | None = None) -> Iterator[str]:
    """A family of kinds: what they have in common, a list of them, and each with its options and an example."""
    yield introduction
    yield from after or []
    yield " · ".join(f"[{name}](#{name})" for name in kinds)
    for name, kind in kinds.items():
        yield f"### {name}"
        yield from _described(kind)
        yield _fenced(_example(examples, EXAMPLES[examples][name]))


def _described(kind: type[BaseModel]) -> Iterator[str]:
    yield _prose(inspect.getdoc(kind) or "")
    if getattr(kind, "needs_matrix", False):
        yield "For weights of convolutions and linear layers only."
    rows = _options(kind)
    if rows:
        yield _table(rows)


def _example(section: str, text: str) -> str:
    """Layers become a model."""
    if section not in ("layers", "initialisers"):
        return text
    return f"model:\n  input: [3, 32, 32]\n  layers:\n{indent(text, '    ')}"


def _fenced(text: str) -> str:
    return f"```yaml\n{text.rstrip()}\n```"


def _options(kind: type[BaseModel]) -> list[Row]:
    """A row for each option; those that must be given come first."""
    expected = Expectations(kind.model_json_schema())
    rows = []
    for attribute, field in kind.model_fields.items():
        key = field.alias or attribute
        if key == "type":
            continue
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        shown = "required" if field.is_required() else "" if default is None else f"`{_written(default)}`"
        rows.append((key, expected.phrase((key,)), shown, field.description or ""))
    return sorted(rows, key=lambda row: row[2] != "required")


def _node_options() -> list[Row]:
    """The keys that every layer has, which no layer's class knows."""
    definitions = schema()["$defs"]
    any_layer = definitions[next(iter(LAYERS.values())).__name__]
    expected = Expectations({**any_layer, "$defs": definitions})
    return [(key, expected.phrase((key,)), "", expected.describe((key,))) for key in ("name", "inputs")]


def _table(rows: list[Row]) -> str:
    lines = [("option", "value", "default", "meaning"), ("---",) * 4]
    lines += [(f"`{key}`", _escaped(value), default, _escaped(meaning)) for key, value, default, meaning in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _prose(text: str) -> str:
    """A docstring as Markdown: indented lines are formulas and stay as they are."""
    return "\n".join(line if line.startswith("    ") else _escaped(line) for line in text.splitlines())


def _escaped(text: str) -> str:
    """Stars that would start emphasis, and signs that would start a tag or end a table's cell."""
    return re.sub(r"(?<! )\*|\*(?! )|<(?=\w)|\|", r"\\\g<0>", text)


def _written(value: Any) -> str:
    """A default as YAML has it; `{type: zeros}` is the bare word."""
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True)
    if isinstance(value, dict):
        pairs = ", ".join(f"{key}: {_written(item)}" for key, item in value.items())
        return _written(value["type"]) if list(value) == ["type"] else f"{{{pairs}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
