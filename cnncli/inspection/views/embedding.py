"""How a layer spreads the samples: its output projected on the two directions in which it varies most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import DataError, OutcomeError
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import Samples, batches
from cnncli.inspection.views.charts import Chart, Charts, Series

if TYPE_CHECKING:
    from cnncli.engine import Executor
    from cnncli.graph import Model

Array = NDArray[Any]

LARGEST_BYTES = 1 << 29
"""What the outputs of all samples may take."""
CHUNK = 1 << 22
"""Numbers that are computed with in double precision at a time."""


@dataclass(frozen=True)
class Point:
    """One sample; its coordinates are in the units of the layer's output."""

    input: str
    """As --input takes it: "test:17"."""
    x: float
    y: float
    class_: str | None


@dataclass(frozen=True, eq=False)
class EmbeddingView:
    """The samples in the plane of the first two principal components."""

    layer: str
    samples: str
    dimensions: int
    """How many numbers the layer gives for a sample."""
    explained: tuple[float | None, float | None]
    """The share of the variance that lies along each axis; None where the samples do not differ."""
    classes: tuple[str, ...]
    """Those that occur, in the order of their numbers."""
    numbers: tuple[int, ...]
    """Of these classes."""
    points: tuple[Point, ...]
    nonfinite: int
    """How many samples are left out, since the layer gives NaN or infinity for them."""
    coordinates: Array  # (N, 2) of the points

    @property
    def charts(self) -> Charts:
        """The points as one cloud for each class."""
        classes = self.classes or (None,)
        clouds = [[point for point in self.points if point.class_ == name] for name in classes]
        series = tuple(
            Series(name or "", tuple(point.x for point in cloud), tuple(point.y for point in cloud))
            for name, cloud in zip(classes, clouds, strict=True)
        )
        first, second = (
            f"{name} component" + ("" if share is None else f", {share:.1%} of the variance")
            for name, share in zip(("1st", "2nd"), self.explained, strict=True)
        )
        title = f"{self.layer}, {self.dimensions:,} numbers a sample"
        notes = (f"{self.nonfinite:,} samples are left out: NaN or infinite",) if self.nonfinite else ()
        chart = Chart(title, series, kind="points", x_name=first, y_name=second, notes=notes)
        return Charts("embedding", f"embedding of {self.samples}", (chart,))


def embedding_view(
    executor: Executor,
    samples: Samples,
    layer: str,
    classes: tuple[tuple[str, ...], Array] | None = None,
    *,
    progress: Progress = silent,
) -> EmbeddingView:
    """The principal components of a layer's output; `classes` are names and each sample's number among them, (N,).

    Raises DataError where the outputs of so many samples are too big, OutcomeError where none of them is finite.
    """
    size = math.prod(executor.model.graph.shape_of(layer))
    fits = LARGEST_BYTES // (size * executor.model.flat.itemsize)
    if samples.count > fits:
        raise DataError(
            f"--samples {samples.count}: {layer} gives {size:,} numbers for each, and all are needed at once; "
            f"take at most {fits:,} samples, or a later layer"
        )
    values = np.empty((samples.count, size), executor.model.flat.dtype)
    for batch in batches(executor, samples, [layer], progress):
        values[batch.indices] = batch.values[layer].reshape(-1, size)
    kept = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not kept.size:
        raise OutcomeError(f"the output of {layer} is NaN or infinite for all of these {samples.count:,} samples")
    coordinates, explained = principal_components(values if kept.size == samples.count else values[kept])
    names, numbers = classes or ((), None)
    present = () if numbers is None else tuple(np.unique(numbers[kept]).tolist())
    points = tuple(
        Point(samples.name(index), x, y, None if numbers is None else names[numbers[index]])
        for index, (x, y) in zip(kept.tolist(), coordinates.tolist(), strict=True)
    )
    return EmbeddingView(
        layer=layer,
        samples=samples.title,
        dimensions=size,
        explained=explained,
        classes=tuple(names[index] for index in present),
        numbers=present,
        points=points,
        nonfinite=samples.count - len(points),
        coordinates=coordinates,
    )


def default_layer(model: Model) -> str:
    """What the last layer with weights reads; the output where no layer has any."""
    weighty = [node for node in model.graph.nodes if node.name in model.parameters]
    return weighty[-1].inputs[0] if weighty else model.graph.output.name


def principal_components(values: Array) -> tuple[Array, tuple[float | None, float | None]]:
    """Finite (N, D) to coordinates (N, 2) along the two directions of largest variance, and the share of each in it.

    From the eigenvectors of the smaller of X X^T and X^T X, X being the centred values: the same as the singular value
    decomposition of X, in less time. Of each axis the first sample that lies at least half as far out as the farthest
    is on the positive side. Source: Pearson, "On lines and planes of closest fit to systems of points in space", 1901.
    """
    count, size = values.shape
    axis = 1 if size > count else 0
    products = sum(part @ part.T if axis else part.T @ part for part in _centred(values, axis))
    variances, vectors = np.linalg.eigh(products)  # the largest last
    largest, directions = np.maximum(variances[:-3:-1], 0), vectors[:, :-3:-1]  # two, or one where there is no more
    if axis:
        found = directions * np.sqrt(largest)
    else:
        found = np.concatenate([part @ directions for part in _centred(values, axis)])
    missing = 2 - len(largest)
    coordinates = np.pad(found, ((0, 0), (0, missing))) * _reach(values)
    far = np.abs(coordinates) >= np.abs(coordinates).max(axis=0) / 2
    coordinates *= np.where(np.take_along_axis(coordinates, far.argmax(axis=0)[None], axis=0) < 0, -1, 1)
    total = float(variances.sum())
    first, second = (float(each / total) if total > 0 else None for each in np.pad(largest, (0, missing)))
    return coordinates, (first, second)


def _centred(values: Array, axis: int) -> Iterator[Array]:
    """values (N, D) less their mean over the samples, over `_reach`, in double precision: some rows or columns each."""
    mean, reach = values.mean(axis=0, dtype=np.float64), _reach(values)
    step = max(CHUNK // values.shape[1 - axis], 1)
    for start in range(0, values.shape[axis], step):
        some = slice(start, start + step)
        yield (values[:, some] - mean[some] if axis else values[some] - mean) / reach


def _reach(values: Array) -> float:
    """max |x|, by which all is divided, so that no square overflows or vanishes; 1 where all are 0."""
    return max(float(values.max()), -float(values.min())) or 1.0
