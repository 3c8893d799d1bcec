"""Watches a few inputs while a network learns: their maps, gradients and the filters, every so many steps.

The network is run as at inference, by a call of its own that leaves everything as it was: the training is the same,
to the last bit, whether it is watched or not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.dataset import Dataset
from cnncli.data.inputs import resolve
from cnncli.engine import Executor, LossObjective
from cnncli.engine.layout import to_user
from cnncli.engine.names import ACTIVATION, GRADIENT, PARAMETER, ArrayName
from cnncli.errors import OutputError, UsageError
from cnncli.graph import INPUT, Graph, Model
from cnncli.losses import Loss
from cnncli.training.frames import Frames
from cnncli.training.settings import TrainSettings, WatchSettings
from cnncli.wording import no_such_layer

Array = NDArray[Any]
Shape = tuple[int, ...]

FRAMES = 60
"""How many there are, unless it is said how often."""
LARGEST = 250_000_000
"""Bytes that all frames may take together."""


@dataclass(frozen=True)
class WatchPlan:
    """What will be kept: `frames` times arrays of these names and `shapes`, `bytes` in all."""

    inputs: tuple[str, ...]
    every: int
    frames: int
    shapes: dict[ArrayName, Shape]
    bytes: int


def plan_watch(train: TrainSettings, model: Model, loss: Loss, dataset: Dataset) -> WatchPlan | None:
    """What `train.watch` asks for; None where it asks for nothing.

    Raises UsageError for a layer that there is not, with the nearest, and where it is too much; DataError for a
    sample that there is not.
    """
    settings = train.watch
    if settings is None:
        return None
    _require_layers(settings, model.graph)
    inputs = settings.inputs or (f"{dataset.held_out}:0",)
    resolve(inputs, model.graph.input_shape, None, lambda: dataset)
    steps = train.horizon(len(dataset.train)).steps
    every = settings.every or -(-steps // FRAMES)
    frames = -(-steps // every) + 1
    shapes = frame_shapes(settings, model, loss, len(inputs))
    if not shapes:
        raise UsageError("train.watch: there is nothing to keep of these layers; choose others, or another 'what'")
    size = model.flat.itemsize * sum(map(math.prod, shapes.values()))
    if size * frames > LARGEST:
        raise UsageError(
            f"train.watch: {frames:,} frames of {size / 1e6:.3g} MB are more than {LARGEST / 1e6:.0f} MB together;"
            f" choose fewer layers or inputs, fewer channels than {settings.channels}, or a frame less often than"
            f" every: {every}"
        )
    return WatchPlan(inputs, every, frames, shapes, size * frames)


def frame_shapes(settings: WatchSettings, model: Model, loss: Loss, samples: int) -> dict[ArrayName, Shape]:
    """The arrays of every frame. Raises UsageError for a layer that there is not, with the nearest."""
    _require_layers(settings, model.graph)
    return dict(_shapes(settings, model, loss, samples))


class Watch:
    """Writes the frames that a plan says."""

    def __init__(self, plan: WatchPlan, executor: Executor, loss: Loss, dataset: Dataset, frames: Frames) -> None:
        self.plan = plan
        self.executor = executor
        self.frames = frames
        graph = executor.model.graph
        given = resolve(plan.inputs, graph.input_shape, None, lambda: dataset)
        self.x = given.x
        assert given.targets is not None  # they are samples of the data
        # The sum, so that the gradient of one input does not depend on how many there are.
        self.objective = replace(LossObjective.of(loss, graph, given.targets), mean=False)
        dtype = executor.model.flat.dtype
        self.values = {name: np.zeros(shape, dtype) for name, shape in plan.shapes.items() if name.kind != PARAMETER}
        self.last: int | None = None
        frames.begin(plan.inputs)

    def after(self, step: int, *, ended: bool = False) -> None:
        """Writes a frame if one is due after so many updates, or the training has ended. Raises OutputError."""
        if step != self.last and (ended or step % self.plan.every == 0):
            self.last = step
            self._run()
            arrays = {**self.values, **dict(self._parameters())}
            self.frames.write(step, {str(name): array for name, array in arrays.items()})

    def diverged(self, step: int) -> str | None:
        """Writes the frame of a training that came to nothing after so many updates, or returns why it cannot be
        written: that must not hide the divergence."""
        try:
            self.after(step, ended=True)
        except OutputError as error:
            return str(error)
        return None

    def _run(self) -> None:
        if any(name.kind == GRADIENT for name in self.values):
            self.executor.differentiate(self.x, self.objective, taps=[self._keep])
        elif self.values:
            self.executor.infer(self.x, taps=[self._keep])

    def _keep(self, name: str, what: str, array: Array, samples: slice) -> None:
        """A tap."""
        values = self.values.get(ArrayName(what, name))
        if values is not None:
            values[samples] = to_user(array)[:, : values.shape[1]]

    def _parameters(self) -> Iterator[tuple[ArrayName, Array]]:
        for name, shape in self.plan.shapes.items():
            if name.kind == PARAMETER:
                array = self.executor.model.parameters[name.node][name.key]
                yield name, array[tuple(slice(size) for size in shape)]


def _require_layers(settings: WatchSettings, graph: Graph) -> None:
    for name in settings.layers:
        if name not in graph.consumers:
            raise UsageError(f"train.watch.layers {name}: {no_such_layer(name, graph.consumers)}")


def _shapes(settings: WatchSettings, model: Model, loss: Loss, samples: int) -> Iterator[tuple[ArrayName, Shape]]:
    """The arrays of a frame: at most so many channels, and of filters so many input channels; vectors are whole."""
    graph, most = model.graph, settings.channels
    reached = {INPUT, *graph.ancestors(graph.logits(loss.link))}
    for name in settings.layers or [node.name for node in graph.nodes if not node.layer.aliases_input]:
        shape = graph.shape_of(name)
        kept = (samples, *(shape if len(shape) == 1 else (min(shape[0], most), *shape[1:])))
        if "activations" in settings.what and name != INPUT:
            yield ArrayName(ACTIVATION, name), kept
        if "gradients" in settings.what and name in reached:
            yield ArrayName(GRADIENT, name), kept
        for key, array in model.parameters.get(name, {}).items() if "filters" in settings.what else ():
            if array.ndim > 1:
                inside = array.shape[1:] if array.ndim == 2 else (min(array.shape[1], most), *array.shape[2:])
                yield ArrayName(PARAMETER, name, key), (min(array.shape[0], most), *inside)
