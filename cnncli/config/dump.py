"""Plain values as YAML: mappings and layers in block style, numbers in lists on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Quotes what any version of YAML would take for a number, a boolean or null; knows no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# What YAML 1.2, which we read, takes for a number beyond YAML 1.1, which PyYAML writes.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^0o[0-7]+$"), list("0"))


def _scalars(values: Any) -> Iterator[Any]:
    for value in values:
        yield from _scalars(value) if isinstance(value, list | tuple) else [value]


def _represent_list(dumper: _Dumper, values: list[Any] | tuple[Any, ...]) -> yaml.Node:
    in_line = not any(isinstance(value, dict) for value in _scalars(values))
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=in_line)


def _represent_mapping(dumper: _Dumper, mapping: dict[str, Any]) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", mapping, flow_style=False)


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    # Only double quotes escape: in any other style a parser may read a line break as a space.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(tuple, _represent_list)
_Dumper.add_representer(dict, _represent_mapping)


def to_text(value: Any) -> str:
    """The YAML text of nested dictionaries, lists and scalars; `load` reads the same values from it."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
