"""Messages between the processes of a team, over a socket: pickled objects, and descriptors of shared memory.

Both ends are this program's own, on one machine, over a socket that has no name: nobody else can send here.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
from time import perf_counter
from typing import Any

_HEADER = struct.Struct("<Q")

PATIENCE = 1e-3
"""Seconds for which a reader asks again and again before it goes to sleep: to wake a sleeping process takes some
50 microseconds, and in a training step every layer of batch norm waits twice."""


class Channel:
    """One end. All methods raise OSError or EOFError when the other end is gone."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: Any) -> None:
        """Any object that can be pickled."""
        body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._end.sendall(_HEADER.pack(len(body)) + body)

    def receive(self) -> Any:
        """Waits for the next message."""
        header = self._await_header()
        (size,) = _HEADER.unpack(header + self._exactly(_HEADER.size - len(header)))
        return pickle.loads(self._exactly(size))

    def has_message(self) -> bool:
        """Whether `receive` would not have to wait."""
        try:
            first = self._end.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        except BlockingIOError:
            return False
        if not first:
            raise EOFError
        return True

    def send_descriptor(self, descriptor: int) -> None:
        """An open file, for the other process to have too."""
        socket.send_fds(self._end, [b"\0"], [descriptor])

    def receive_descriptor(self) -> int:
        _, descriptors, _, _ = socket.recv_fds(self._end, 1, 1)
        if not descriptors:
            raise EOFError
        return descriptors[0]

    def close(self) -> None:
        self._end.close()

    def _await_header(self) -> bytes:
        """Its first bytes, one at least."""
        until = perf_counter() + PATIENCE
        while perf_counter() < until:
            try:
                header = self._end.recv(_HEADER.size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                os.sched_yield()  # somebody else may need this core
            else:
                break
        else:
            header = self._end.recv(_HEADER.size)
        if not header:
            raise EOFError
        return header

    def _exactly(self, size: int) -> bytearray:
        body = bytearray(size)
        view = memoryview(body)
        while view:
            count = self._end.recv_into(view)
            if not count:
                raise EOFError
            view = view[count:]
        return body
