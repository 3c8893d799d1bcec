"""What arrays are called in files: `activation/<node>`, `gradient/<node>`, `parameter/<node>.<key>`, ..."""

from __future__ import annotations

from typing import NamedTuple

ACTIVATION, GRADIENT, PARAMETER, PARAMETER_GRADIENT = "activation", "gradient", "parameter", "parameter_gradient"


class ArrayName(NamedTuple):
    """Its text is what stands in the file."""

    kind: str
    node: str
    """Or "input"."""
    key: str = ""
    """Of a parameter, or of a running statistic: "weight"."""

    def __str__(self) -> str:
        return f"{self.kind}/{self.node}.{self.key}" if self.key else f"{self.kind}/{self.node}"

    @classmethod
    def parse(cls, text: str) -> ArrayName:
        """From the text; the name of a node may hold dots itself."""
        kind, _, name = text.partition("/")
        if kind not in (PARAMETER, PARAMETER_GRADIENT):
            return cls(kind, name)
        node, _, key = name.rpartition(".")
        return cls(kind, node, key)
