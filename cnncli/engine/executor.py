"""Runs a model: cuts the batch into micro-batches, spreads them over threads, sums what they leave.

NumPy and BLAS release the interpreter's lock, so threads do run side by side. Sums are always made in the order
of the micro-batches: the result does not depend on the number of threads, to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from cnncli.engine.objective import Objective
from cnncli.engine.plan import Plan, cut, make_plan
from cnncli.engine.walk import Lane, Tap, Task, walk
from cnncli.engine.workspace import Workspace
from cnncli.graph import Model, flat_views
from cnncli.layers.base import Params

Array = NDArray[Any]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Result:
    """What `Executor.differentiate` found; batch first."""

    values: Array  # (N,) the objective of every sample
    output: Array  # (N, *shape) what the objective read
    flat_gradient: Array  # laid out as Model.flat
    gradients: dict[str, Params]  # views of it, by node and key
    input_gradient: Array | None  # (N, *input_shape)

    @property
    def value(self) -> float:
        """The mean over the samples."""
        return float(self.values.real.mean())


class Executor:
    """A model and the threads that run it. Use as a context manager, or call `close`.

    While it is open BLAS runs on one thread, because the micro-batches already fill the cores.
    `workers`: number of threads, by default one a core. `seed`: of dropout.
    """

    def __init__(self, model: Model, *, workers: int | None = None, seed: int = 0) -> None:
        self.model = model
        self.seed = seed
        self.workers = workers or available_cores()
        self._flat_gradient = np.zeros_like(model.flat)
        self._gradients = flat_views(self._flat_gradient, model.parameters)
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._workspaces: list[Workspace] = []  # those that no micro-batch is using
        self._pool = ThreadPoolExecutor(self.workers, "cnncli") if self.workers > 1 else None
        self._blas = ThreadpoolController()
        self._limit = self._blas.limit(limits=1, user_api="blas")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._limit.restore_original_limits()

    def infer(
        self, x: Array, *, at: str | None = None, training: bool = False, step: int = 0, taps: Sequence[Tap] = ()
    ) -> Array:
        """The value `at`, by default the output, (N, *shape), for x (N, *input_shape).

        Nothing is kept that is not needed any more. With taps every node is computed.
        """
        name = at or self.model.graph.output.name
        plan = self._plan(name, training=training, gradient=False, everything=bool(taps))
        task = Task(self.model, plan, name, x, self._array(x, name), training, self.seed, step, taps)
        slices = cut(self.model.graph, len(x))
        if len(slices) == 1 and self.workers > 1:
            with self._blas.limit(limits=self.workers, user_api="blas"):
                self._drive(task, slices)
        else:
            self._drive(task, slices)
        return task.output

    def differentiate(
        self,
        x: Array,
        objective: Objective,
        *,
        training: bool = False,
        step: int = 0,
        everything: bool = False,
        update_buffers: bool = False,
        taps: Sequence[Tap] = (),
    ) -> Result:
        """The objective and its gradients; x is (N, *input_shape).

        `step` selects the dropout masks. `everything`, which taps imply: the input's gradient too, and every node
        is computed even if the objective does not depend on it. The gradient arrays live until the next call.
        """
        everything = everything or bool(taps)
        dtype = self.model.flat.dtype
        plan = self._plan(objective.at, training=training, gradient=True, everything=everything)
        values = np.empty(len(x), dtype)
        dx = np.empty(x.shape, dtype) if everything else None
        output = self._array(x, objective.at)
        task = Task(self.model, plan, objective.at, x, output, training, self.seed, step, taps, objective, values, dx)
        self._flat_gradient[...] = 0
        self._drive(task, cut(self.model.graph, len(x)))
        if update_buffers:
            self._update_buffers(task.totals)
        return Result(values, output, self._flat_gradient, self._gradients, dx)

    def _array(self, x: Array, name: str) -> Array:
        return np.empty((len(x), *self.model.graph.shape_of(name)), self.model.flat.dtype)

    def _plan(self, at: str, *, training: bool, gradient: bool, everything: bool) -> Plan:
        key = (at, training, gradient, everything)
        if key not in self._plans:
            self._plans[key] = make_plan(
                self.model.graph,
                at,
                self.model.parameters,
                training=training,
                gradient=gradient,
                everything=everything,
            )
        return self._plans[key]

    def _drive(self, task: Task, slices: Sequence[slice]) -> None:
        """Walks every micro-batch to its end. They all yield at the same layers: then their partial sums are
        added, in their order, and each is resumed with the total."""
        lanes = [Lane(samples) for samples in slices]
        walks = [walk(task, lane) for lane in lanes]
        total: Any = None  # what a generator must be sent first

        def advance(index: int) -> Array | None:
            lane = lanes[index]
            if lane.workspace is None:  # taken up only now, so that there are no more of them than at work
                lane.workspace = self._take_workspace()
            try:
                with np.errstate(all="ignore"):  # infinities flow on; whoever looks at the results will see them
                    return walks[index].send(total)
            except StopIteration:
                self._workspaces.append(lane.workspace)
                return None

        going = bool(lanes)
        while going:
            partial = None
            for lane, yielded in zip(lanes, self._map(advance, range(len(lanes))), strict=True):
                going = yielded is not None
                if yielded is not None:
                    partial = yielded if partial is None else partial + yielded
                else:
                    self._accumulate(lane)
            total = partial

    def _map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        return map(function, items) if self._pool is None else self._pool.map(function, items)

    def _take_workspace(self) -> Workspace:
        try:
            return self._workspaces.pop()
        except IndexError:
            return Workspace()

    def _accumulate(self, lane: Lane) -> None:
        """Adds a micro-batch's parameter gradients to the batch's, and lets go of their memory."""
        for name, gradients in lane.gradients.items():
            for key, gradient in gradients.items():
                self._gradients[name][key] += gradient
        lane.gradients.clear()

    def _update_buffers(self, totals: dict[str, Array]) -> None:
        for name, total in totals.items():
            buffers = self.model.buffers.get(name, {})
            for key, value in self.model.graph.by_name[name].layer.update_buffers(buffers, total).items():
                buffers[key][...] = value


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
