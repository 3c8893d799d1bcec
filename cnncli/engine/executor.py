"""Runs a model: cuts the batch into micro-batches, spreads them over processes, sums what they leave.

Sums are always made in the order of the micro-batches: the result does not depend on the number of processes, to
the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from cnncli.engine.channel import PeerLostError
from cnncli.engine.objective import Objective
from cnncli.engine.plan import cut
from cnncli.engine.team import POSSIBLE, Team
from cnncli.engine.walk import Arrays, MicroBatch, Request, Tap
from cnncli.engine.worker import Worker, adding_to, ordered_sum
from cnncli.graph import Model, flat_views
from cnncli.layers.base import Params
from cnncli.machine import available_cores

Array = NDArray[Any]

START_SECONDS = 0.1
"""Helpers are started when the work so far has taken this long, about what it costs to start one: what is over
sooner is done sooner without."""

ATTEMPTS = 3
"""How often a team is put together before it is left be: something keeps killing the helpers."""


@dataclass(frozen=True)
class Result:
    """What `Executor.differentiate` found; batch first."""

    values: Array  # (N,) the objective of every sample
    output: Array  # (N, *shape) what the objective read
    flat_gradient: Array  # laid out as Model.flat
    gradients: dict[str, Params]  # views of it, by node and key
    input_gradient: Array | None  # (N, *input_shape)
    totals: Mapping[str, Array]  # of layers that couple the batch, by node

    @property
    def value(self) -> float:
        """The mean over the samples."""
        return float(self.values.real.mean())


class Executor:
    """A model and the processes that run it. Use as a context manager, or call `close`.

    `workers`: the number of processes, this one among them; by default one a core. (Where helper processes cannot be
    had, as on Windows, this one does it all.) `seed`: of dropout. `frozen`: nodes whose parameters' gradients nobody
    wants; where nothing before them needs one either, the pass back ends there. While it is open BLAS runs on one
    thread.
    """

    def __init__(
        self, model: Model, *, workers: int | None = None, seed: int = 0, frozen: Collection[str] = ()
    ) -> None:
        self.model = model
        self.workers = workers or available_cores()
        self._worker = Worker(model, seed, frozen)
        self._team: Team | None = None
        self._process = os.getpid()
        self._attempts = ATTEMPTS if self.workers > 1 and POSSIBLE else 0  # that are left to have a team
        self._cuts: dict[int, list[slice]] = {}  # by the size of the batch
        self._seconds = 0.0  # spent on work that helpers could have shared
        self._flat_gradient = np.zeros_like(model.flat)
        self._gradients = flat_views(self._flat_gradient, model.parameters)
        self._finish = adding_to(self._gradients)
        self._blas = ThreadpoolController()
        self._limit = self._blas.limit(limits=1, user_api="blas")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the helpers, and gives BLAS its threads back."""
        self._attempts = 0
        self._dismiss()
        self._limit.restore_original_limits()

    def infer(
        self,
        x: Array,
        *,
        at: str | None = None,
        training: bool = False,
        step: int = 0,
        taps: Sequence[Tap] = (),
        blas_threads: int = 1,
    ) -> Array:
        """The value `at`, by default the output, (N, *shape), for x (N, *input_shape).

        Nothing is kept that is not needed any more. With taps every node is computed. A batch that is not worth
        cutting may be left to several threads of BLAS, whose number may change the last bits of the result.
        """
        request = Request(at or self.model.graph.output.name, training, step, everything=bool(taps))
        if blas_threads > 1 and len(self._micro_batches(x)) == 1:
            with self._blas.limit(limits=blas_threads, user_api="blas"):
                return self._compute(request, x, taps)[0].output
        return self._compute(request, x, taps)[0].output

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
        is computed even if the objective does not depend on it. The parameters' gradients live until the next call.
        """
        request = Request(objective.at, training, step, everything or bool(taps), objective)
        arrays, totals = self._compute(request, x, taps)
        assert arrays.values is not None
        if update_buffers:
            self.update_buffers(totals)
        return Result(arrays.values, arrays.output, self._flat_gradient, self._gradients, arrays.input_gradient, totals)

    def start(self, samples: int | None = None) -> None:
        """Starts the helpers, all or as many as a batch of so many samples has work for, and waits until they are up:
        for who measures speed."""
        useful = self.workers if samples is None else min(self.workers, len(cut(self.model.graph, samples)))
        with self._attempt():
            if self._attempts and useful > 1:
                self._hire(useful - 1).ready(wait=True)

    @property
    def helpers(self) -> int:
        """How many helper processes there are."""
        return 0 if self._team is None else len(self._team.helpers)

    def _compute(self, request: Request, x: Array, taps: Sequence[Tap]) -> tuple[Arrays, Mapping[str, Array]]:
        micro_batches = self._micro_batches(x)
        if taps or len(micro_batches) < 2 or not self._attempts:  # taps want to be called here
            return self._alone(request, x, micro_batches, taps)
        if self._process != os.getpid():  # forked: the helpers are the other's
            self._team, self._process = None, os.getpid()
        if self._team is not None or self._seconds > START_SECONDS:
            with self._attempt():
                team = self._hire(min(self.workers, len(micro_batches)) - 1)
                return team.compute(request, x, micro_batches, self._flat_gradient, self._finish)
        start = perf_counter()
        result = self._alone(request, x, micro_batches, taps)
        self._seconds += perf_counter() - start
        return result

    def _micro_batches(self, x: Array) -> list[MicroBatch]:
        slices = self._cuts.get(len(x))
        if slices is None:
            slices = self._cuts[len(x)] = cut(self.model.graph, len(x))
        return [MicroBatch(index, samples) for index, samples in enumerate(slices)]

    def _alone(
        self, request: Request, x: Array, micro_batches: Sequence[MicroBatch], taps: Sequence[Tap]
    ) -> tuple[Arrays, Mapping[str, Array]]:
        dtype = self.model.flat.dtype
        arrays = Arrays(x, np.empty((len(x), *self.model.graph.shape_of(request.at)), dtype))
        if request.objective is not None:
            dx = np.empty(x.shape, dtype) if request.everything else None
            arrays = replace(arrays, values=np.empty(len(x), dtype), input_gradient=dx)
            self._flat_gradient[...] = 0
        return arrays, self._worker.compute(request, arrays, micro_batches, ordered_sum, self._finish, taps)

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """Work with the team. If that is lost, nothing else is: nothing has been changed yet, and what follows the
        block does without. After some attempts there are no more."""
        try:
            yield
        except PeerLostError:
            self._attempts -= 1
            self._seconds = 0.0
            self._dismiss()
        except BaseException:  # the helpers are in the middle of a job that nobody waits for
            self._dismiss()
            raise

    def _hire(self, helpers: int) -> Team:
        if self._team is None:
            self._team = Team(self._worker)
        self._team.grow(helpers)
        return self._team

    def _dismiss(self) -> None:
        if self._team is not None:
            self._team.close()
            self._team = None

    def update_buffers(self, totals: Mapping[str, Array]) -> None:
        """Takes the totals of a result of training into the running statistics."""
        for name, total in totals.items():
            buffers = self.model.buffers.get(name, {})
            for key, value in self.model.graph.by_name[name].layer.update_buffers(buffers, total).items():
                buffers[key][...] = value
