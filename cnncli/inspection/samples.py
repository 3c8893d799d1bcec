"""Many samples and what the network makes of them, batch by batch: the numbers of one batch alone are in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.engine.layout import to_user
from cnncli.graph import INPUT, Graph

Array = NDArray[Any]
Progress = Callable[[int, int], None]
"""Is told how many samples are done, and how many there are."""

BATCH_BYTES = 1 << 26
"""About how much of the inputs and of the recorded values is held at a time, as float32."""
LARGEST_BATCH = 1024


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples that are looked at one after the other; the functions take their numbers, from 0 to `count` - 1."""

    title: str
    """What they are, all together: "test", "1,000 of the 10,000 samples of test"."""
    count: int
    x: Callable[[NDArray[np.int64]], Array]
    """Inputs, (n, *input_shape)."""
    name: Callable[[int], str]
    """As --input takes it, where that can be: "test:17"."""
    picture: Callable[[int], Array | None]
    """As it looks, uint8 (H, W) or (H, W, 3); None for what cannot be looked at."""
    targets: Array | None
    """Of all samples, (N, ...), as a data set has them; None where they are not known."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some neighbouring samples, and the values that were asked for, by name, each (n, *shape)."""

    indices: NDArray[np.int64]
    targets: Array | None
    values: Mapping[str, Array]


def batches(
    executor: Executor, samples: Samples, names: Sequence[str], progress: Progress | None = None
) -> Iterator[Batch]:
    """All samples in their order, with the values `names` of the network as at inference."""
    size = batch_size(executor.model.graph, names)
    for start in range(0, samples.count, size):
        indices = np.arange(start, min(start + size, samples.count))
        targets = None if samples.targets is None else samples.targets[indices]
        yield Batch(indices, targets, values_of(executor, samples.x(indices), names))
        if progress is not None:
            progress(int(indices[-1]) + 1, samples.count)


def batch_size(graph: Graph, names: Sequence[str]) -> int:
    """How many samples are run at a time where these values are kept."""
    numbers = sum(math.prod(graph.shape_of(name)) for name in {INPUT, *names})
    return max(min(BATCH_BYTES // (4 * numbers), LARGEST_BATCH), 1)


def values_of(executor: Executor, x: Array, names: Sequence[str]) -> dict[str, Array]:
    """The values `names`, each (n, *shape), for x (n, *input_shape), as at inference."""
    if list(names) == [INPUT]:
        return {INPUT: x}
    if len(names) == 1:
        return {names[0]: executor.infer(x, at=names[0])}  # what is behind it is not computed
    kept = {name: np.empty((len(x), *executor.model.graph.shape_of(name)), executor.model.flat.dtype) for name in names}

    def keep(name: str, what: str, array: Array, samples: slice) -> None:
        if name in kept:
            kept[name][samples] = to_user(array)

    executor.infer(x, taps=[keep])
    return kept
