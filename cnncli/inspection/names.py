"""Layers by their names."""

from __future__ import annotations

from collections.abc import Sequence

from cnncli.errors import UsageError
from cnncli.graph import Graph
from cnncli.wording import did_you_mean


def only_nodes(graph: Graph, names: Sequence[str], others: Sequence[str] = ()) -> frozenset[str]:
    """The given names; if none is given all values of the network, the input too, and the `others` that there are.

    Raises UsageError for a name that is none of them, with the nearest.
    """
    known = [*graph.consumers, *others]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise UsageError(f"--layer {name}: the network has no such layer{hint}")
    return frozenset(names or known)
