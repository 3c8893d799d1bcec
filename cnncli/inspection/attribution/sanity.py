"""Whether an attribution depends on what the network has learned (Adebayo et al. 2018, "Sanity Checks for Saliency
Maps", section 3: cascading randomization).

The weights are drawn anew from the output down, one layer more each time, and the attribution is made again. A map
that stays the same shows the input, or the network's shape, but not what was learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.graph import Model
from cnncli.inspection.attribution.method import Method, Target
from cnncli.inspection.progress import Progress, silent

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Redrawn:
    """The attribution after this layer, too, was drawn anew."""

    node: str
    changed: bool
    """False where the layer starts with the same numbers whatever the seed: written out, or all ones."""
    correlations: tuple[float, ...]
    """For every input, with the trained network's: Spearman's, of the magnitudes; nan where one is constant."""
    with_signs: tuple[float, ...]
    """The same of the numbers themselves."""
    values: Array
    """As the method's."""


def sanity(
    method: Method,
    executor: Executor,
    x: Array,
    target: Target,
    original: Array,
    *,
    seed: int,
    progress: Progress = silent,
) -> tuple[Redrawn, ...]:
    """For every layer with parameters on the way to the target, the last first; `original` is what the method makes
    of the executor's model, `seed` one that its weights were not drawn with."""
    model = executor.model
    reached = model.graph.up_to(target.at).nodes
    nodes = [node.name for node in reversed(reached) if model.parameters.get(node.name)]
    spoilt = model.astype(model.flat.dtype)  # a copy
    fresh = Model.create(model.graph, seed, model.flat.dtype)
    steps = []
    for done, node in enumerate(nodes):
        progress(done, len(nodes))
        changed = _redraw(spoilt, fresh, node)
        with Executor(spoilt, workers=executor.workers) as other:
            values = method.attribute(other, x, target).values
        pairs = list(zip(original, values, strict=True))
        magnitudes = tuple(rank_correlation(np.abs(before), np.abs(after)) for before, after in pairs)
        with_signs = tuple(rank_correlation(before, after) for before, after in pairs)
        steps.append(Redrawn(node, changed, magnitudes, with_signs, values))
    progress(len(nodes), len(nodes))
    return tuple(steps)


def _redraw(model: Model, fresh: Model, node: str) -> bool:
    """Overwrites the numbers of one layer; tells whether that changed any."""
    before, after = model.tensors(node), fresh.tensors(node)
    changed = any(not np.array_equal(before[key], after[key]) for key in before)
    for key, array in before.items():
        array[...] = after[key]
    return changed


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's, of all numbers of two arrays of one shape; equal numbers share their mean rank."""
    if a.size < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    first, second = _ranks(a), _ranks(b)
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else float("nan")


def _ranks(values: Array) -> NDArray[np.float64]:
    """The place of each number in the order of all, around 0."""
    _, places, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    centred: NDArray[np.float64] = ranks - ranks.mean()
    return centred
