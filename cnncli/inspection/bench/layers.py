"""What each layer takes of a training step.

The engine runs as always, on a graph whose layers time their own calls: in this process alone and on one thread, so
that they come one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, cast

from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cnncli.engine import Executor, LossObjective
from cnncli.engine.plan import cut
from cnncli.graph import Model, Node
from cnncli.inspection.bench.products import Product, products
from cnncli.inspection.bench.report import Cost, LayerCosts
from cnncli.inspection.bench.speed import timings
from cnncli.inspection.bench.stopwatch import ENGINE, LOSS, Part, Stopwatch, TimedLayer, TimedLoss
from cnncli.inspection.proxies import with_layers
from cnncli.losses import Loss

Array = NDArray[Any]


def layer_costs(
    model: Model, x: Array, targets: Array, loss: Loss, *, steps: int | None = None, seed: int = 0
) -> LayerCosts:
    """From `steps` steps on x (N, *input_shape), or from as many as fill some seconds; they move the running statistics
    of batch norm, and nothing else.

    `targets` are as a data set has them; `seed` is that of dropout. Raises DataError where the targets do not fit.
    """
    with threadpool_limits(1, "blas"):
        times, with_dx = _times(model, x, targets, loss, steps, seed)
        rows = []
        sizes = [part.stop - part.start for part in cut(model.graph, len(x))]
        for node in model.graph.nodes:
            runs = (node.name, "forward") in times
            todo = _all_products(model, node, sizes, dx=node.name in with_dx) if runs else {}
            rows.append(
                Cost.of(
                    node.name,
                    node.layer.type,
                    _seconds(times, node.name),
                    shape=node.shape,
                    flops=sum(product.flops * often for product, often in todo.items()),
                    floor=sum(product.seconds(model.flat.dtype, steps) * often for product, often in todo.items()),
                )
            )
    lost, between = Cost.of("loss", loss.type, _seconds(times, LOSS)), Cost.of("engine", "", _seconds(times, ENGINE))
    return LayerCosts(tuple(rows), lost, between, _total([*rows, lost, between]))


def _times(
    model: Model, x: Array, targets: Array, loss: Loss, steps: int | None, seed: int
) -> tuple[dict[Part, float], set[str]]:
    """Seconds of every part of a step, and the nodes whose input needs a gradient."""
    stopwatch = Stopwatch()
    layers = {node.name: TimedLayer(node.name, node.layer, stopwatch) for node in model.graph.nodes}
    timed = with_layers(model, layers)
    timed_loss = cast(Loss, TimedLoss(loss, stopwatch))
    numbers = count()
    with Executor(timed, workers=1, seed=seed) as executor:

        def differentiate() -> None:
            objective = LossObjective.of(timed_loss, timed.graph, targets)
            executor.differentiate(x, objective, training=True, step=next(numbers), update_buffers=True)

        done = sum(1 for _ in timings(lambda: stopwatch.time(differentiate), steps))
    return stopwatch.medians(done), {name for name, layer in layers.items() if layer.gives_dx}


def _all_products(model: Model, node: Node, sizes: Sequence[int], *, dx: bool) -> Counter[Product]:
    """Of micro-batches of these sizes, and how often each is made."""
    return Counter(product for samples in sizes for product in products(model, node, samples, dx=dx))


def _seconds(times: Mapping[Part, float], part: str) -> tuple[float, float]:
    return times.get((part, "forward"), 0.0), times.get((part, "backward"), 0.0)


def _total(rows: Sequence[Cost]) -> Cost:
    seconds = sum(row.forward_seconds for row in rows), sum(row.backward_seconds for row in rows)
    flops, floor = sum(row.flops for row in rows), sum(row.floor_seconds for row in rows)
    return Cost.of("total", "", seconds, flops=flops, floor=floor)
