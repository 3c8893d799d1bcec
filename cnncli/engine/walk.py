"""One micro-batch's way through the network, forward and back.

Written as generators that read from top to bottom: where a layer couples the samples of the batch, they yield
the micro-batch's partial sums and are resumed with the whole batch's totals.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.layout import to_engine, to_user
from cnncli.engine.objective import Objective
from cnncli.engine.plan import Plan
from cnncli.engine.workspace import Workspace
from cnncli.graph import INPUT
from cnncli.layers.base import Params
from cnncli.layers.run import Run

Array = NDArray[Any]
Tap = Callable[[str, str, Array, slice], None]
Walk = Generator[Array, Array, None]
"""Yields partial sums, is sent totals."""


@dataclass(frozen=True)
class Request:
    """What one call of the executor asks for, apart from the numbers."""

    at: str
    training: bool
    step: int
    everything: bool = False
    objective: Objective | None = None


@dataclass(frozen=True)
class Arrays:
    """What goes in and what comes out, for the whole batch and batch first."""

    x: Array  # (N, *input_shape)
    output: Array  # (N, *shape of `at`), filled in
    values: Array | None = None  # (N,) the objective of every sample, filled in
    input_gradient: Array | None = None  # like x, filled in


@dataclass(frozen=True)
class Task:
    """Everything that the micro-batches of one call have in common."""

    request: Request
    arrays: Arrays
    plan: Plan
    tensors: dict[str, Params]  # parameters and buffers, by node
    dtype: np.dtype[Any]
    seed: int
    taps: Sequence[Tap] = ()
    totals: dict[str, Array] = field(default_factory=dict)  # of coupled layers in the forward pass, filled in


@dataclass
class MicroBatch:
    """Some samples of the batch, and what they leave behind."""

    index: int
    samples: slice
    gradients: dict[str, Params] = field(default_factory=dict)


def walk(task: Task, micro_batch: MicroBatch, workspace: Workspace) -> Walk:
    """Forward and, where there is an objective, back."""
    objective, arrays = task.request.objective, task.arrays
    run = Run(task.dtype, task.request.training, len(arrays.x), keep=objective is not None, empty=workspace.empty)
    caches: dict[str, Any] = {}
    y = yield from _forward(task, micro_batch, run, caches)
    arrays.output[micro_batch.samples] = to_user(y)
    if objective is None or arrays.values is None:
        return
    arrays.values[micro_batch.samples], dy = objective.evaluate(y, micro_batch.samples)
    if objective.mean:
        dy /= len(arrays.x)
    del y
    gradient = yield from _backward(task, micro_batch, run, caches, dy)
    if arrays.input_gradient is not None:
        arrays.input_gradient[micro_batch.samples] = 0 if gradient is None else to_user(gradient)


def _forward(task: Task, micro_batch: MicroBatch, run: Run, caches: dict[str, Any]) -> Generator[Array, Array, Array]:
    """Returns the value that was asked for; fills in the layers' caches if they are to be kept."""
    values = {INPUT: to_engine(task.arrays.x[micro_batch.samples], run)}
    _tap(task, micro_batch, INPUT, "activation", values[INPUT])
    for step in task.plan.forward:
        node = step.node
        params = task.tensors[node.name]
        xs = tuple([values[name] for name in node.inputs])
        for name in step.drop:
            del values[name]
        run.owned = step.owned
        run.generator = generator(task.seed, node.name, task.request.step, micro_batch.samples.start)
        if step.coupled:
            run.totals = yield node.layer.forward_sums(params, xs, run)
            task.totals[node.name] = run.totals
        values[node.name], cache = node.layer.forward(params, xs, run)
        if run.keep:
            caches[node.name] = cache
        del xs, cache  # so that the workspace has their memory again
        _tap(task, micro_batch, node.name, "activation", values[node.name])
    return values[task.request.at]


def _backward(
    task: Task, micro_batch: MicroBatch, run: Run, caches: dict[str, Any], dy: Array
) -> Generator[Array, Array, Array | None]:
    """Returns the input's gradient, if the plan goes so far; leaves the parameters' in the micro_batch."""
    pending: dict[str, tuple[Array, bool]] = {task.request.at: (dy, True)}  # a gradient, whether it has one name only
    for step in task.plan.backward:
        node = step.node
        dy, run.owns_dy = pending.pop(node.name)
        _tap(task, micro_batch, node.name, "gradient", dy)
        params, cache = task.tensors[node.name], caches.pop(node.name)
        run.needs = step.needs
        if step.coupled:
            run.totals = yield node.layer.backward_sums(params, cache, dy, run)
        dxs, gradients = node.layer.backward(params, cache, dy, run)
        if gradients:
            micro_batch.gradients[node.name] = gradients
        fresh = not node.layer.aliases_dy or (run.owns_dy and len(node.inputs) == 1)
        for name, dx in zip(node.inputs, dxs, strict=True):
            if dx is not None:
                _add(pending, name, dx, fresh, run)
        del dy, dxs, dx, cache, gradients
    gradient = pending.get(INPUT, (None, False))[0]
    if gradient is not None:
        _tap(task, micro_batch, INPUT, "gradient", gradient)
    return gradient


def _add(pending: dict[str, tuple[Array, bool]], name: str, dx: Array, fresh: bool, run: Run) -> None:
    """Gradients of a value with several readers are summed."""
    if name not in pending:
        pending[name] = (dx, fresh)
        return
    sofar, ours = pending[name]
    pending[name] = (np.add(sofar, dx, out=sofar if ours else run.empty(dx.shape, dx.dtype)), True)


def _tap(task: Task, micro_batch: MicroBatch, name: str, what: str, array: Array) -> None:
    for tap in task.taps:
        tap(name, what, array, micro_batch.samples)


def generator(seed: int, name: str, step: int, first: int) -> Callable[[], np.random.Generator]:
    """Random numbers from the seed, the node, the step and the micro-batch's first sample: a counter, no stream."""

    def make() -> np.random.Generator:
        key = np.array([seed, zlib.crc32(name.encode())], np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, first, step]))

    return make
