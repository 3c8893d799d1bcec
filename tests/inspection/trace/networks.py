"""Networks that have run once, to be traced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import LossObjective, UpstreamObjective
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.subject import Subject
from cnncli.inspection.trace import Number, Question, Scene, Trace, checked, explain, number_of
from cnncli.layers import LAYERS, Layer
from cnncli.layers.base import Shape
from cnncli.losses import Loss
from tests.layers.cases import Case
from tests.parity.cases import make_case

Array = NDArray[Any]
TRACED = "traced"


def scene_of(graph: Graph, loss: Loss, *, samples: int = 2, training: bool = False) -> Scene:
    """With random parameters, running statistics, inputs and targets."""
    case = make_case(graph, loss)
    model = Model.create(graph, seed=3, dtype=np.float64)
    rng = np.random.default_rng(4)
    model.flat += 0.1 * rng.normal(size=model.flat.shape)  # biases that are not 0
    for buffers in model.buffers.values():
        for array in buffers.values():
            array[...] = np.abs(rng.normal(size=array.shape)) + 0.5
    objective = LossObjective.of(loss, graph, case.targets[:samples])
    return Scene.record(model, case.x[:samples], objective, training=training, seed=1)


def scene_of_layer(case: Case) -> Scene:
    """The layer of a case with its numbers, after one layer for each input, and a given gradient from above."""
    layers: list[tuple[str, Layer, tuple[str, ...]]] = []
    for index, shape in enumerate(case.shapes):
        layers.append((f"before{index}", _as(shape, case.shapes[0]), (INPUT,)))
    layers.append((TRACED, case.layer, tuple(f"before{index}" for index in range(len(case.shapes)))))
    graph = build(case.shapes[0], layers)
    model = Model.create(graph, seed=5, dtype=np.float64)
    tensors = model.tensors(TRACED)
    for key, array in case.tensors().items():
        tensors[key][...] = array
    upstream = np.moveaxis(case.upstream(), 0, -1).copy()  # in the engine's layout
    objective = UpstreamObjective(TRACED, np.moveaxis(upstream, -1, 0))
    return Scene.record(model, case.inputs()[0], objective, training=case.training, seed=1)


def _as(shape: Shape, given: Shape) -> Layer:
    """A layer that makes this shape of the given one."""
    if shape == given:
        return LAYERS["tanh"]()
    if len(shape) == 1:
        return LAYERS["linear"](out_features=shape[0])
    return LAYERS["conv2d"](out_channels=shape[0], kernel_size=1)


def every_number(scene: Scene, *, limit: int, seed: int = 0) -> Iterator[tuple[Number, float]]:
    """Of each value, each gradient and each parameter's gradient so many numbers, with the engine's."""
    rng = np.random.default_rng(seed)
    graph, recording = scene.model.graph, scene.recording
    for name in graph.consumers:
        for index in _places(rng, (scene.samples, *graph.shape_of(name)), limit):
            sample, *place = index
            number = Number(name, None, "", graph.shape_of(name), tuple(place), sample, False)
            if name != INPUT:
                yield number, float(recording.activations[name][index])
            if name in recording.gradients:
                of_gradient = Number(name, None, "", number.shape, number.index, sample, True)
                yield of_gradient, float(recording.gradients[name][index])
    for name, tensors in recording.parameter_gradients.items():
        for key, gradient in tensors.items():
            if name in recording.gradients:
                for index in _places(rng, gradient.shape, limit):
                    yield Number(name, key, "", gradient.shape, index, None, True), float(gradient[index])


def _places(rng: np.random.Generator, shape: Shape, limit: int) -> list[tuple[int, ...]]:
    every = list(np.ndindex(shape))
    chosen = rng.permutation(len(every))[:limit].tolist()
    return [every[index] for index in chosen]


def trace_of(scene: Scene, number: Number, engine: float) -> Trace:
    """Raises AssertionError where the terms do not add up to the engine's number."""
    return checked(
        Subject("", samples=scene.samples, sample=number.sample or 0), number, explain(scene, number), engine
    )


def ask(scene: Scene, **question: Any) -> Trace:
    """The trace of the number that a question is about."""
    asked = Question(**question)
    asked.check(scene.model)
    return trace_of(scene, *number_of(scene, asked))


def error_of(trace: Trace) -> float:
    """How far the sum of the terms is from the engine's number, in relation to the terms."""
    assert trace.arithmetic is not None
    return abs(trace.value - trace.engine) / max(trace.arithmetic.magnitude, np.finfo(np.float64).tiny)
