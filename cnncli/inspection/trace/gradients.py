"""Where a gradient comes from: the chain rule, term by term."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import contains
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import LossObjective, Objective
from cnncli.engine.layout import to_engine
from cnncli.graph import Node
from cnncli.inspection.receptive import single
from cnncli.inspection.trace.result import Flow, Flows, Place
from cnncli.inspection.trace.scene import Scene
from cnncli.inspection.trace.slopes import STEP, by_input, by_parameter
from cnncli.layers.run import Run

Array = NDArray[Any]
OBJECTIVE = "objective"
"""The name of what reads the last value: the loss, a logit, or the given upstream gradient."""
Factor = tuple[str, Array] | None
"""Which tensor the slopes are elements of, and which (K, its ndim); None where they are no tensor's."""


def of_value(scene: Scene, objective: Objective, name: str, sample: int, index: Place) -> Flows:
    """How dL/d(one number of the value `name`) comes about: from every layer that reads it, and from the objective
    itself where that reads it."""
    readers = [node for node in scene.model.graph.nodes if name in node.inputs]
    flows = [_through(scene, node, name, sample, index) for node in readers if node.name in scene.recording.gradients]
    return Flows((*([_objective(scene, objective, sample, index)] if objective.at == name else []), *flows))


def of_parameter(scene: Scene, node: Node, key: str, index: Place) -> Flows:
    """How dL/d(one number of a parameter) comes about: from every position of every sample that it acts on."""
    parameter, found, slopes, used = scene.model.parameters[node.name][key], [], [], 0
    for part in scene.parts(node):
        each = by_parameter(scene, node, part, key, index)
        used += each.size // each.shape[1]  # a number of a parameter is used in one channel, everywhere
        found.append(_places(each != 0, part.start))
        slopes.append(each[each != 0])
    places, acting = np.concatenate(found), np.concatenate(slopes)
    factor = _factor_of_parameter(scene, node, key, index, places, acting)
    flow = _flow(scene, node, parameter[index], places, acting, factor)
    return Flows((replace(flow, still=used - len(acting)),))


def _through(scene: Scene, node: Node, name: str, sample: int, index: Place) -> Flow:
    """What comes through one reader."""
    part = scene.part(node, sample)
    slopes = by_input(scene, node, part, name, (*index, sample - part.start))
    slots = [slot for slot, source in enumerate(node.inputs) if source == name]
    if scene.couples(node):
        acts = slopes != 0
    else:  # terms that are 0 belong to the sum: they tell of closed gates and of lost maxima
        acts = np.zeros(slopes.shape, bool)
        for slot in slots:
            acts[sample - part.start] |= _touched(node, slot, index)
    places, acting = _places(acts, part.start), slopes[acts]
    factor = _factor_of_input(scene, node, slots[0], index, places, acting)
    return _flow(scene, node, scene.recording.activations[name][(sample, *index)], places, acting, factor)


def _objective(scene: Scene, objective: Objective, sample: int, index: Place) -> Flow:
    """The sample's objective, of all of which L is the mean or the sum."""
    y = to_engine(scene.recording.activations[objective.at][[sample]], Run(np.dtype(np.complex128)))
    y[(*index, 0)] += 1j * STEP
    values, _ = objective.evaluate(y, slice(sample, sample + 1))
    upstream = np.array([1 / scene.samples if objective.mean else 1.0])
    where, nowhere = np.array([sample]), np.empty((1, 0), int)
    steps = _loss_by_hand(scene, objective, sample, index) if isinstance(objective, LossObjective) else ()
    return Flow(OBJECTIVE, OBJECTIVE, where, nowhere, upstream, values.imag / STEP, None, None, 1.0, 1.0, steps)


def _loss_by_hand(scene: Scene, objective: LossObjective, sample: int, index: Place) -> tuple[tuple[str, float], ...]:
    """How the slope of the loss is found with a pocket calculator."""
    account = objective.loss.by_hand(scene.recording.activations[objective.at][sample], objective.targets[..., sample])
    steps = [(name, float(column[index])) for name, column in account.columns.items()]
    slope = float(account.slopes[index])
    mean = [(f"({account.slope_formula}) / {account.divisor}", slope / account.divisor)] if account.divisor > 1 else []
    return (*steps, (account.slope_formula, slope), *mean)


def _flow(scene: Scene, node: Node, x: float, places: Array, slopes: Array, factor: Factor) -> Flow:
    """How x acts, in falling order of |dL/dy * slope|; `places` (K, 1 + ndim) begin with the sample."""
    recording = scene.recording
    y, upstream = (arrays[node.name][tuple(places.T)] for arrays in (recording.activations, recording.gradients))
    order = np.argsort(-np.abs(upstream * slopes), kind="stable")
    tensor, multiplied = (None, None) if factor is None else (factor[0], factor[1][order])
    samples, within = places[order, 0], places[order, 1:]
    condition = max((scene.condition(node, channel) for channel in np.unique(within[:, 0]).tolist()), default=1.0)
    return Flow(
        node.name,
        node.layer.type,
        samples,
        within,
        upstream[order],
        slopes[order],
        tensor,
        multiplied,
        float(np.abs(y).max(initial=max(abs(x), 1.0))),
        condition,
    )


def _places(mask: Array, start: int) -> Array:
    """Where it is true, (K, 1 + ndim), in the numbers of the whole batch, whose sample `start` is the mask's first."""
    places = np.argwhere(mask)
    places[:, 0] += start
    return places


def _touched(node: Node, slot: int, index: Place) -> Array:
    """Which elements of the output see this element of an input: found axis by axis."""
    whole = [range(size) for size in node.shape]
    seeing: list[Array] = []
    for axis, size in enumerate(node.shape):
        slices = ((*whole[:axis], range(k, k + 1), *whole[axis + 1 :]) for k in range(size))
        parts = (node.layer.sees(part, node.input_shapes)[slot] for part in slices)
        seeing.append(np.array([all(map(contains, part, index)) for part in parts]))
    return np.asarray(reduce(np.logical_and.outer, seeing))


def _factor_of_input(scene: Scene, node: Node, slot: int, index: Place, places: Array, slopes: Array) -> Factor:
    """The weight's taps, where these are what an input is multiplied by."""
    weight = scene.model.tensors(node.name).get("weight")
    if weight is None or scene.couples(node):
        return None
    taps = []
    for _, *place in places.tolist():
        part = node.layer.sees(single(tuple(place)), node.input_shapes)[slot]
        if tuple(map(len, part)) != weight.shape[1:]:
            return None
        taps.append((place[0], *(axis.index(i) for axis, i in zip(part, index, strict=True))))
    found = np.array(taps)
    return (f"{node.name}.weight", found) if np.array_equal(weight[tuple(found.T)], slopes) else None


def _factor_of_parameter(scene: Scene, node: Node, key: str, index: Place, places: Array, slopes: Array) -> Factor:
    """The numbers of the input, where these are what a parameter is multiplied by."""
    found = []
    for sample, *place in places.tolist():
        part = node.layer.sees(single(tuple(place)), node.input_shapes)[0]
        if len(part) != len(index) - 1:
            return None
        found.append((sample, *(axis[tap] for axis, tap in zip(part, index[1:], strict=True))))
    if not found:
        return None
    seen, values = np.array(found), scene.recording.activations[node.inputs[0]]
    inside = (seen >= 0) & (seen < values.shape)  # not so where a NaN in the window makes NaN of every product
    return (node.inputs[0], seen[:, 1:]) if inside.all() and np.array_equal(values[tuple(seen.T)], slopes) else None
