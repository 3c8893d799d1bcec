"""A helper process: computes the micro-batches that it is given until nobody is at the other end any more.

    python -m cnncli.engine.helper DESCRIPTOR

DESCRIPTOR is that of a socket, over which everything else comes (see job.py).
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.channel import Channel
from cnncli.engine.job import DONE, Hiring, Job, NewMemory
from cnncli.engine.memory import Block
from cnncli.engine.worker import Worker, each_to_its_own
from cnncli.graph import Model

Array = NDArray[Any]


def main() -> None:
    """Ends when the socket does."""
    with suppress(EOFError, OSError):
        serve(Channel(socket.socket(fileno=int(sys.argv[1]))))


def serve(channel: Channel) -> None:
    """Answers one message after the other. Raises EOFError or OSError at the end."""
    hiring: Hiring = channel.receive()
    layout = hiring.layout
    numbers = _receive_block(channel, layout.nbytes).array((layout.nbytes,), np.uint8)
    worker = Worker(Model.on(hiring.graph, layout, numbers), hiring.seed)
    channel.send(DONE)
    block = None
    while True:
        message: NewMemory | Job = channel.receive()
        if isinstance(message, NewMemory):
            block = _receive_block(channel, message.size)
        else:
            assert block is not None
            _work(worker, message, block, channel)
            channel.send(DONE)


def _receive_block(channel: Channel, size: int) -> Block:
    block = Block(channel.receive_descriptor(), size)
    block.close()
    return block


def _work(worker: Worker, job: Job, block: Block, channel: Channel) -> None:
    arrays, gradients = job.places.arrays(block)

    def exchange(partials: list[Array]) -> Array:
        channel.send(partials)
        totals: Array = channel.receive()
        return totals

    worker.compute(job.request, arrays, job.lanes, exchange, each_to_its_own(gradients, worker.model.layout.parameters))


if __name__ == "__main__":
    main()
