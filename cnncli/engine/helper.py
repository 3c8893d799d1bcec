"""A helper process: computes the micro-batches that it is given until nobody is at the other end any more.

    python -m cnncli.engine.helper DESCRIPTOR

DESCRIPTOR is that of a socket, over which everything else comes (see job.py).
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from cnncli.engine.channel import Channel, PeerLostError
from cnncli.engine.job import READY, Job, Remap, Setup
from cnncli.engine.memory import Block
from cnncli.engine.worker import Worker, each_to_its_own

Array = NDArray[Any]


def main() -> None:
    """Ends when the socket does."""
    with suppress(PeerLostError):
        serve(Channel(socket.socket(fileno=int(sys.argv[1]))))


def serve(channel: Channel) -> None:
    """Answers one message after the other. Raises PeerLostError at the end."""
    setup: Setup = channel.receive()
    flat = setup.model.flat
    parameters = Block(channel.receive_descriptor(), flat.nbytes or 1)
    worker = Worker(setup.model.on(parameters.array(flat.shape, flat.dtype)), setup.seed, setup.frozen)
    channel.send(READY)
    block = parameters  # of no use for batches: a Remap comes first
    while True:
        message: Remap | Job = channel.receive()
        if isinstance(message, Remap):
            block = Block(channel.receive_descriptor(), message.size)
        else:
            _compute(worker, message, block, channel)
            channel.send(READY)


def _compute(worker: Worker, job: Job, block: Block, channel: Channel) -> None:
    arrays, gradients = job.places.arrays(block)
    for name, params in (job.buffers or {}).items():
        for key, array in params.items():
            worker.model.buffers[name][key][...] = array

    def all_reduce(partials: list[Array]) -> Array:
        channel.send(partials)
        totals: Array = channel.receive()
        return totals

    finish = each_to_its_own(gradients, worker.model.parameters)
    worker.compute(job.request, arrays, job.micro_batches, all_reduce, finish)


if __name__ == "__main__":
    main()
