"""Helper processes that compute micro-batches beside this one.

Processes and not threads: Python's interpreter lock lets one thread at a time start a NumPy call, and small
networks are made of many short calls. Helpers are programs of their own, started afresh and told everything over a
socket; parameters and batches lie in memory that all processes see. When this process ends, however it ends, their
sockets close and they end too.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.channel import Channel, PeerLostError
from cnncli.engine.job import Job, Places, Remap, Setup
from cnncli.engine.memory import Block
from cnncli.engine.walk import Arrays, MicroBatch, Request
from cnncli.engine.worker import Finish, Worker, ordered_sum
from cnncli.processes import CAN_START_PYTHON, import_path

Array = NDArray[Any]

POSSIBLE = hasattr(socket, "send_fds") and CAN_START_PYTHON
"""Whether this is a Python that can start another, and a system that hands memory over this way; Windows does not."""

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"), "1"
)

GRACE = 1.0
"""Seconds that helpers have to end by themselves when they are no longer needed."""


class Helper:
    """One helper process, seen from outside."""

    def __init__(self) -> None:
        """Starts it. Raises PeerLostError where that is impossible."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise PeerLostError from error
        self.channel = Channel(ours)
        self._block: Block | None = None  # where it looks for batches
        self._ready = False
        with theirs:
            try:
                self.process = _start(theirs.fileno())
            except (OSError, ValueError) as error:
                ours.close()
                raise PeerLostError from error

    def set_up(self, worker: Worker, parameters: Block) -> None:
        """Tells it what every job is about."""
        self.channel.send(Setup(worker.model, worker.seed, worker.frozen))
        self.channel.send_descriptor(parameters.descriptor)

    def is_ready(self, *, wait: bool = False) -> bool:
        """Whether it has come up."""
        if not self._ready and (wait or self.channel.has_message()):
            self.channel.receive()
            self._ready = True
        return self._ready

    def submit(self, job: Job, block: Block) -> None:
        """Hands it a job whose arrays lie in the block."""
        if self._block is not block:
            self.channel.send(Remap(block.size))
            self.channel.send_descriptor(block.descriptor)
            self._block = block
        self.channel.send(job)


class Team:
    """This process and its helpers. All but `close` raise PeerLostError if a helper is lost or cannot be had."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.helpers: list[Helper] = []
        flat = worker.model.flat
        self._parameters = _block(flat.nbytes)
        self._flat = self._parameters.array(flat.shape, flat.dtype)
        self._block = _block(1)  # the batch's

    def grow(self, count: int) -> None:
        """Starts helpers until there are so many."""
        while len(self.helpers) < count:
            self.helpers.append(Helper())
            self.helpers[-1].set_up(self._worker, self._parameters)

    def ready(self, *, wait: bool = False) -> list[Helper]:
        """The helpers that have come up."""
        return [helper for helper in self.helpers if helper.is_ready(wait=wait)]

    def compute(
        self, request: Request, x: Array, micro_batches: Sequence[MicroBatch], flat_gradient: Array, finish: Finish
    ) -> tuple[Arrays, Mapping[str, Array]]:
        """The results and the totals of coupled layers; fills in the gradient, if there is an objective. `finish` adds
        to it what this process's micro-batches leave."""
        model, helpers = self._worker.model, self.ready()[: len(micro_batches) - 1]
        places = Places.of(model.graph, request, x, len(micro_batches), model.flat)
        if places.nbytes > self._block.size:
            self._block = _block(places.nbytes)
        arrays, gradients = places.arrays(self._block)
        ours, *theirs = _shares(micro_batches, 1 + len(helpers))
        others = slice(ours[-1].samples.stop, None)
        np.copyto(arrays.x[others], x[others], casting="same_kind")
        np.copyto(self._flat, model.flat)
        buffers = None if request.training else model.buffers
        for helper, share in zip(helpers, theirs, strict=True):
            helper.submit(Job(request, places, tuple(share), buffers), self._block)

        def all_reduce(partials: list[Array]) -> Array:
            for helper in helpers:
                partials += helper.channel.receive()
            total = ordered_sum(partials)
            for helper in helpers:
                helper.channel.send(total)
            return total

        if request.objective is not None:
            flat_gradient[...] = 0
        totals = self._worker.compute(request, replace(arrays, x=x), ours, all_reduce, finish)
        for helper in helpers:
            helper.channel.receive()
        for gradient in gradients[len(ours) :]:
            flat_gradient += gradient
        return _copy(arrays), totals

    def close(self) -> None:
        """Ends the helpers: each ends when its socket does; if it does not, it is made to."""
        for helper in self.helpers:
            helper.channel.close()
        until = monotonic() + GRACE
        for helper in self.helpers:
            try:
                helper.process.wait(max(0, until - monotonic()))
            except subprocess.TimeoutExpired:
                helper.process.kill()
                helper.process.wait()
        self.helpers.clear()


def _block(size: int) -> Block:
    try:
        return Block.create(size)
    except OSError as error:
        raise PeerLostError from error


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: not the files of the current directory. In a session of its own: Ctrl-C is for this process to answer.
        [sys.executable, "-P", "-m", "cnncli.engine.helper", str(descriptor)],
        pass_fds=[descriptor],
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": import_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _shares(micro_batches: Sequence[MicroBatch], processes: int) -> list[Sequence[MicroBatch]]:
    """Consecutive ones for each process, as evenly as can be."""
    edges = [len(micro_batches) * index // processes for index in range(processes + 1)]
    return [micro_batches[start:stop] for start, stop in pairwise(edges)]


def _copy(arrays: Arrays) -> Arrays:
    """Of the results, which the next call will write over."""
    values, dx = (array if array is None else array.copy() for array in (arrays.values, arrays.input_gradient))
    return Arrays(arrays.x, arrays.output.copy(), values, dx)
