"""Many samples and what the network makes of them, batch by batch: the numbers of one batch alone are in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, record_forward
from cnncli.errors import DataError
from cnncli.graph import INPUT, Graph
from cnncli.inspection.progress import Progress, silent

Array = NDArray[Any]

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


def batches(executor: Executor, samples: Samples, names: Sequence[str], progress: Progress = silent) -> Iterator[Batch]:
    """All samples in their order, with the values `names` of the network as at inference."""
    size = batch_size(executor.model.graph, names)
    for start in range(0, samples.count, size):
        indices = np.arange(start, min(start + size, samples.count))
        targets = None if samples.targets is None else samples.targets[indices]
        yield Batch(indices, targets, values_of(executor, samples.x(indices), names))
        progress(int(indices[-1]) + 1, samples.count)


def require_finite(x: Array, names: Iterable[str]) -> None:
    """Raises DataError, with the name, for NaN and infinity in a sample of x (N, *input_shape)."""
    for sample, name in () if np.isfinite(x).all() else zip(x, names, strict=True):
        if wrong := np.count_nonzero(~np.isfinite(sample)):
            raise DataError(f"{name}: {wrong:,} of {sample.size:,} numbers are NaN or infinite; give finite numbers")


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
    return record_forward(executor, x, names=names).activations
