"""Runs a model: cuts the batch into micro-batches, spreads them over processes, sums what they leave.

Sums are always made in the order of the micro-batches: the result does not depend on the number of processes, to
the last bit.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from cnncli.engine.objective import Objective
from cnncli.engine.plan import cut
from cnncli.engine.team import POSSIBLE, Team
from cnncli.engine.walk import Arrays, Lane, Request, Tap
from cnncli.engine.worker import Worker, adding_to, in_order
from cnncli.graph import Model, flat_views, shapes_of
from cnncli.layers.base import Params

Array = NDArray[Any]

THREADS_MACS = 100_000_000
"""Multiply-accumulate operations from which on a single micro-batch leaves the other cores to BLAS. (Not in training:
the bits could depend on their number.)"""

START_SECONDS = 0.1
"""Helpers are started when the work so far has taken this long, about what it costs to start one: what is over
sooner is done sooner without."""


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
    """A model and the processes that run it. Use as a context manager, or call `close`.

    `workers`: the number of processes, this one among them; by default one a core. While it is open BLAS runs on one
    thread in each. `seed`: of dropout.
    """

    def __init__(self, model: Model, *, workers: int | None = None, seed: int = 0) -> None:
        self.model = model
        self.workers = workers or available_cores()
        self._worker = Worker(model, seed)
        self._team: Team | None = None
        self._may_hire = self.workers > 1 and POSSIBLE
        self._cuts: dict[int, list[slice]] = {}  # by the size of the batch
        self._seconds = 0.0  # spent on work that helpers could have shared
        self._macs = sum(node.layer.macs(node.input_shapes, node.shape) for node in model.graph.nodes)
        self._flat_gradient = np.zeros_like(model.flat)
        self._blas = ThreadpoolController()
        self._limit = self._blas.limit(limits=1, user_api="blas")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the helpers."""
        self._dismiss()
        self._limit.restore_original_limits()

    def infer(
        self, x: Array, *, at: str | None = None, training: bool = False, step: int = 0, taps: Sequence[Tap] = ()
    ) -> Array:
        """The value `at`, by default the output, (N, *shape), for x (N, *input_shape).

        Nothing is kept that is not needed any more. With taps every node is computed.
        """
        request = Request(at or self.model.graph.output.name, training, step, everything=bool(taps))
        arrays, _ = self._compute(request, x, taps)
        return arrays.output

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
        request = Request(objective.at, training, step, everything or bool(taps), objective)
        arrays, totals = self._compute(request, x, taps)
        assert arrays.values is not None
        if update_buffers:
            self._update_buffers(totals)
        gradients = flat_views(self._flat_gradient, shapes_of(self.model.parameters))
        return Result(arrays.values, arrays.output, self._flat_gradient, gradients, arrays.input_gradient)

    def start(self) -> None:
        """Starts the helpers and waits until they are up: for who measures speed."""
        if self._may_hire:
            try:
                self._hire(self.workers - 1).ready(wait=True)
            except (OSError, EOFError):
                self._stay_alone()

    def _compute(self, request: Request, x: Array, taps: Sequence[Tap]) -> tuple[Arrays, Mapping[str, Array]]:
        slices = self._cuts.get(len(x))
        if slices is None:
            slices = self._cuts[len(x)] = cut(self.model.graph, len(x))
        lanes = [Lane(index, samples) for index, samples in enumerate(slices)]
        if taps or len(lanes) < 2 or not self._may_hire:  # taps want to be called here
            return self._alone(request, x, lanes, taps)
        try:
            if self._seconds > START_SECONDS or self._team is not None:
                team = self._hire(min(self.workers, len(lanes)) - 1)
                return team.compute(request, x, lanes, self._flat_gradient)
        except (OSError, EOFError):  # no process to be had, or one was killed: nothing is lost, as nothing is changed
            self._stay_alone()
        except BaseException:  # the helpers are in the middle of a job that nobody waits for
            self._dismiss()
            raise
        start = perf_counter()
        result = self._alone(request, x, lanes, taps)
        self._seconds += perf_counter() - start
        return result

    def _alone(
        self, request: Request, x: Array, lanes: Sequence[Lane], taps: Sequence[Tap]
    ) -> tuple[Arrays, Mapping[str, Array]]:
        graph, dtype = self.model.graph, self.model.flat.dtype
        output = np.empty((len(x), *graph.shape_of(request.at)), dtype)
        arrays = Arrays(x, output)
        if request.objective is not None:
            dx = np.empty(x.shape, dtype) if request.everything else None
            arrays = Arrays(x, output, np.empty(len(x), dtype), dx)
            self._flat_gradient[...] = 0
        done = adding_to(self._flat_gradient, shapes_of(self.model.parameters))
        if len(lanes) == 1 and request.objective is None and self.workers > 1 and len(x) * self._macs > THREADS_MACS:
            with self._blas.limit(limits=self.workers, user_api="blas"):
                return arrays, self._worker.compute(request, arrays, lanes, in_order, done, taps)
        return arrays, self._worker.compute(request, arrays, lanes, in_order, done, taps)

    def _hire(self, helpers: int) -> Team:
        if self._team is None:
            self._team = Team(self._worker)
        self._team.recruit(helpers)
        return self._team

    def _stay_alone(self) -> None:
        self._may_hire = False
        self._dismiss()

    def _dismiss(self) -> None:
        if self._team is not None:
            self._team.dismiss()
            self._team = None

    def _update_buffers(self, totals: Mapping[str, Array]) -> None:
        for name, total in totals.items():
            buffers = self.model.buffers.get(name, {})
            for key, value in self.model.graph.by_name[name].layer.update_buffers(buffers, total).items():
                buffers[key][...] = value


def available_cores() -> int:
    """The cores that this process may use: what it is bound to, and what its container grants."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()  # Linux, cgroups version 2
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max": no limit
        return cores
