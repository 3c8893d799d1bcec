"""Names of layers: given ones, and those made of type and count."""

from __future__ import annotations

import re
from collections import Counter

from cnncli.config.choice import kind_of
from cnncli.config.tree import ListNode, MapNode, ScalarNode, Tree

NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
"""What a name looks like, so that it can be a module's name in PyTorch."""


def names_of(layers: ListNode) -> list[str | None]:
    """The name of every layer: as given, or its type and which of its type it is; None where it has neither."""
    given = [given_name(item) for item in layers.items]
    taken = {name for name in given if name is not None}
    count: Counter[str] = Counter()
    names = []
    for item, name in zip(layers.items, given, strict=True):
        kind = kind_of(item)
        count[str(kind)] += 1
        names.append(_made_name(kind, count[kind], taken) if name is None and kind is not None else name)
    return names


def _made_name(kind: str, number: int, taken: set[str]) -> str:
    """`relu2`, or the next number that is free; from then on it is taken."""
    while f"{kind}{number}" in taken:
        number += 1
    taken.add(f"{kind}{number}")
    return f"{kind}{number}"


def given_name(item: Tree) -> str | None:
    """The text under a layer's `name`; None where there is none."""
    name = item.get("name") if isinstance(item, MapNode) else None
    return name.value if isinstance(name, ScalarNode) and isinstance(name.value, str) else None
