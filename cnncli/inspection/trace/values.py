"""Where a number of the forward pass comes from."""

from __future__ import annotations

from functools import reduce
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import LossObjective
from cnncli.graph import Node
from cnncli.inspection.receptive import single
from cnncli.inspection.trace.result import Arithmetic, ByHand, LossAccount, Maximum, Place, Sum, Window
from cnncli.inspection.trace.scene import Scene
from cnncli.inspection.trace.slopes import by_input
from cnncli.layers.base import Part, Steps

Array = NDArray[Any]


def of_value(scene: Scene, node: Node, sample: int, index: Place) -> Arithmetic:
    """How the element `index` of the node's output comes about."""
    part = scene.part(node, sample)
    place = (*index, sample - part.start)
    xs, tensors = scene.inputs(node, part), scene.tensors(node)
    y, cache, run = scene.compute(node, part, xs, tensors)
    steps = node.layer.by_hand(tensors, xs, place, run)
    if steps:
        return _by_hand(scene, node, part, place, steps)
    parts = node.layer.sees(single(index), node.input_shapes)
    if node.layer.picks_maximum:
        return _maximum(node.inputs[0], parts[0], xs[0][..., place[-1]])
    one = np.zeros_like(y)
    one[place] = 1
    rows, _ = node.layer.backward(tensors, cache, one, run)
    windows = [
        _window(name, seen, x[..., place[-1]], row[..., place[-1]])
        for name, seen, x, row in zip(node.inputs, parts, xs, rows, strict=True)
        if all(seen) and row is not None
    ]
    weighted = len(windows) == 1 and _is_filter(windows[0], tensors.get("weight"), index[0])
    windows = [_as_image(scene, window, sample) for window in windows]
    at_zero, _, _ = scene.compute(node, part, tuple(np.zeros_like(x) for x in xs), tensors)
    return Sum(tuple(windows), weighted, float(at_zero[place]), "bias" if "bias" in tensors else None)


def of_loss(scene: Scene, objective: LossObjective, sample: int, classes: tuple[str, ...]) -> LossAccount:
    """How the sample's loss comes about."""
    y = scene.recording.activations[objective.at][sample]
    return LossAccount(objective.at, *objective.loss.by_hand(y, objective.targets[..., sample]), classes=classes)


def _by_hand(scene: Scene, node: Node, part: slice, place: Place, steps: Steps) -> ByHand:
    *index, sample = place
    source = node.inputs[0]
    slope = float(by_input(scene, node, part, source, place)[sample, *index])
    gate: Literal["open", "closed"] | None = None
    if node.layer.rectifies:
        gate = "open" if slope else "closed"
    plain = tuple((text, float(value)) for text, value in steps)
    return ByHand(source, tuple(index), plain, slope, gate, scene.condition(node, index[0]))


def _maximum(source: str, part: Part, x: Array) -> Maximum:
    window = _window(source, part, x, np.zeros_like(x))
    candidates = np.where(window.inside, window.values, -np.inf)
    winner = np.unravel_index(np.argmax(candidates), candidates.shape)  # the first of the largest, or of the NaN
    window.coefficients[winner] = 1
    return Maximum(window, int(np.count_nonzero(candidates == candidates[winner])) or 1)


def _window(source: str, part: Part, x: Array, row: Array) -> Window:
    """The part of x and of its coefficients."""
    axes = [np.array(axis) for axis in part]
    within = [(axis >= 0) & (axis < size) for axis, size in zip(axes, x.shape, strict=True)]
    inside = np.asarray(reduce(np.logical_and.outer, within))
    nearest = np.ix_(*(np.clip(axis, 0, size - 1) for axis, size in zip(axes, x.shape, strict=True)))
    first, step = tuple(axis.start for axis in part), tuple(axis.step for axis in part)
    values, coefficients = np.where(inside, x[nearest], 0.0), np.where(inside, row[nearest], 0.0)
    return Window(source, first, step, values, inside, coefficients)


def _as_image(scene: Scene, window: Window, sample: int) -> Window:
    """A whole vector that was an image before it was flattened, as that image."""
    source = scene.model.graph.unflattened(window.source)
    image = scene.recording.activations[source][sample]
    if image.ndim == 1 or not np.array_equal(image.ravel(), window.values, equal_nan=True):
        return window
    inside, coefficients = (array.reshape(image.shape) for array in (window.inside, window.coefficients))
    return Window(source, (0,) * image.ndim, (1,) * image.ndim, image, inside, coefficients)


def _is_filter(window: Window, weight: Array | None, filter_: int) -> bool:
    """Whether the coefficients are a filter of the weight; then it tells, too, what the padding is multiplied by."""
    if weight is None or weight.shape[1:] != window.values.shape:
        return False
    taps = weight[filter_]
    if not np.array_equal(taps[window.inside], window.coefficients[window.inside]):
        return False
    window.coefficients[...] = taps
    return True
