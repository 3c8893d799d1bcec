"""Layers by their names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnncli.errors import UsageError
from cnncli.graph import Graph
from cnncli.wording import no_such_layer


def only_nodes(graph: Graph, names: Sequence[str], others: Sequence[str] = ()) -> frozenset[str]:
    """The given names; if none is given all values of the network, the input too, and the `others` that there are.

    Raises UsageError for a name that is none of them, with the nearest.
    """
    known = [*graph.consumers, *others]
    for name in names:
        if name not in known:
            raise UsageError(f"--layer {name}: {no_such_layer(name, known)}")
    return frozenset(names or known)


def with_positions(graph: Graph) -> list[str]:
    """The values with channels and more than one position, in their order: in the last of them the channels say most
    about the whole, and it is still known where."""
    shapes = {name: graph.shape_of(name) for name in graph.consumers}
    return [name for name, shape in shapes.items() if len(shape) == 3 and math.prod(shape[1:]) > 1]
