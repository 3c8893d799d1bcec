"""Helper processes that compute micro-batches beside this one.

Processes and not threads: Python's interpreter lock lets one thread at a time start a NumPy call, and small
networks are made of many short calls. Helpers are programs of their own (nothing is forked), told everything over
a socket; model and batches lie in memory that all processes see. When this process ends, however it ends, their
sockets close and they end too.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cnncli
from cnncli.engine.channel import Channel
from cnncli.engine.job import Hiring, Job, NewMemory, Places
from cnncli.engine.memory import Block
from cnncli.engine.walk import Arrays, Lane, Request
from cnncli.engine.worker import Worker, each_to_its_own, in_order
from cnncli.graph import Model

Array = NDArray[Any]

POSSIBLE = hasattr(socket, "send_fds")
"""Whether the system can hand memory from process to process this way; Windows cannot."""

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"), "1"
)


class Helper:
    """One helper process, seen from outside."""

    def __init__(self) -> None:
        """Starts it. Raises OSError where that is impossible."""
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        self._block: Block | None = None  # where it looks for batches
        self._ready = False
        with theirs:
            try:
                self._process = _start(theirs.fileno())
            except OSError:
                ours.close()
                raise

    def hire(self, model: Model, numbers: Block, seed: int) -> None:
        """Tells it what every job is about."""
        self.channel.send(Hiring(model.graph, model.layout, seed))
        self.channel.send_descriptor(numbers.descriptor)

    def is_ready(self, *, wait: bool = False) -> bool:
        """Whether it has come up. Raises OSError or EOFError if it has ended instead."""
        if not self._ready and (wait or self.channel.has_message()):
            self.channel.receive()
            self._ready = True
        return self._ready

    def give(self, job: Job, block: Block) -> None:
        if self._block is not block:
            self.channel.send(NewMemory(block.size))
            self.channel.send_descriptor(block.descriptor)
            self._block = block
        self.channel.send(job)

    def dismiss(self) -> None:
        """It ends when its socket does; if it does not, it is made to."""
        self.channel.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Team:
    """This process and its helpers."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._helpers: list[Helper] = []
        self._numbers: Block | None = None  # the model's
        self._block = Block.create(1)  # the batch's

    def recruit(self, count: int) -> None:
        """Starts helpers until there are so many. Raises OSError where that is impossible."""
        model = self._worker.model
        if self._numbers is None:
            nbytes = model.layout.nbytes
            self._numbers = Block.create(nbytes)
            self._worker.move(self._numbers.array((nbytes,), np.uint8))
        while len(self._helpers) < count:
            self._helpers.append(Helper())
            self._helpers[-1].hire(model, self._numbers, self._worker.seed)

    def ready(self, *, wait: bool = False) -> list[Helper]:
        """The helpers that have come up. Raises OSError or EOFError if one has ended instead."""
        return [helper for helper in self._helpers if helper.is_ready(wait=wait)]

    def compute(
        self, request: Request, x: Array, lanes: Sequence[Lane], flat_gradient: Array
    ) -> tuple[Arrays, Mapping[str, Array]]:
        """The results and the totals of coupled layers; fills in the gradient, if there is an objective.

        Raises OSError or EOFError if a helper is lost.
        """
        model, helpers = self._worker.model, self.ready()[: len(lanes) - 1]
        places = Places.of(model.graph, request, len(x), len(lanes), model.flat.size, model.flat.dtype)
        self._provide(places.nbytes)
        arrays, gradients = places.arrays(self._block)
        np.copyto(arrays.x, x, casting="same_kind")
        shares = _shares(lanes, 1 + len(helpers))
        for helper, share in zip(helpers, shares[1:], strict=True):
            helper.give(Job(request, places, tuple(share)), self._block)

        def exchange(partials: list[Array]) -> Array:
            for helper in helpers:
                partials += helper.channel.receive()
            total = in_order(partials)
            for helper in helpers:
                helper.channel.send(total)
            return total

        done = each_to_its_own(gradients, model.layout.parameters)
        totals = self._worker.compute(request, arrays, shares[0], exchange, done)
        for helper in helpers:
            helper.channel.receive()
        if request.objective is not None:
            flat_gradient[...] = 0
            for gradient in gradients:
                flat_gradient += gradient
        return _copy(arrays), totals

    def dismiss(self) -> None:
        """Ends the helpers."""
        for helper in self._helpers:
            helper.dismiss()
        self._helpers.clear()
        self._block.close()
        if self._numbers is not None:
            self._numbers.close()

    def _provide(self, size: int) -> None:
        """Memory for a batch. What is larger than ever before gets a new block."""
        if size > self._block.size:
            self._block.close()
            self._block = Block.create(size)


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: not the files of the current directory. In a session of its own: Ctrl-C is for this process to answer.
        [sys.executable, "-P", "-m", "cnncli.engine.helper", str(descriptor)],
        pass_fds=[descriptor],
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(_import_path())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _shares(lanes: Sequence[Lane], processes: int) -> list[Sequence[Lane]]:
    """Consecutive micro-batches for each process, as evenly as can be."""
    edges = [len(lanes) * index // processes for index in range(processes + 1)]
    return [lanes[start:stop] for start, stop in pairwise(edges)]


def _copy(arrays: Arrays) -> Arrays:
    """Of the results, which the next call will write over."""
    values, dx = (array if array is None else array.copy() for array in (arrays.values, arrays.input_gradient))
    return Arrays(arrays.x, arrays.output.copy(), values, dx)


def _import_path() -> list[str]:
    """Where a helper finds what this process found, this package first."""
    package = Path(cnncli.__file__).parents[1]
    return [str(package), *(entry for entry in sys.path if entry)]
