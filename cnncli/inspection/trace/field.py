"""What of the input image a number sees, and what of that it reacts to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, LogitObjective
from cnncli.errors import UsageError
from cnncli.graph import INPUT
from cnncli.inspection.receptive import box_of, receptive_fields, seen
from cnncli.inspection.trace.result import Field, Number
from cnncli.inspection.trace.scene import Scene

Array = NDArray[Any]


def field_of(scene: Scene, number: Number) -> Field:
    """Of one output of one sample. Raises UsageError where the input is no image."""
    graph, training = scene.model.graph, scene.training
    assert number.sample is not None  # it is no parameter
    if len(graph.input_shape) != 3:
        raise UsageError(f"--receptive-field: the network's input {graph.input_shape} is no image (C, H, W)")
    box = box_of(seen(graph, number.node, number.index, training=training))
    inside = box_of(seen(graph, number.node, number.index, clip=True, training=training))
    padding = None
    if len(number.shape) == 3:
        top, left, _, _ = box_of(seen(graph, number.node, (number.index[0], 0, 0), training=training))
        padding = (-top, -left)
    window = receptive_fields(graph)[number.node]
    stride = None if window is None or padding is None else window.stride
    gradient = _gradient(scene, number)
    return Field(
        box,
        inside,
        size=(box[2] - box[0], box[3] - box[1]),
        stride=stride,
        padding=padding,
        touched=int(np.count_nonzero((gradient != 0).any(axis=0))),
        input=scene.recording.activations[INPUT][number.sample],
        gradient=gradient,
    )


def _gradient(scene: Scene, number: Number) -> Array:
    """d(number)/d(input), of its own sample."""
    x = scene.recording.activations[INPUT]
    if number.node == INPUT:
        one = np.zeros(x.shape[1:])
        one[number.index] = 1
        return one
    with Executor(scene.model, workers=1, seed=scene.seed) as executor:
        objective = LogitObjective(number.node, np.array([number.index]))
        result = executor.differentiate(x, objective, training=scene.training, everything=True)
    assert result.input_gradient is not None
    return np.asarray(result.input_gradient[number.sample])
