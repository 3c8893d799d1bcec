"""Messages between the processes of a team, over a socket: pickled objects, and descriptors of shared memory.

Both ends are this program's own, on one machine, over a socket that has no name: nobody else can send here.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
from time import perf_counter, sleep
from typing import Any

_HEADER = struct.Struct("<Q")

PATIENCE = 5e-3
"""Seconds for which a reader asks again and again before it goes to sleep: to wake a sleeping process takes some 50
microseconds, and much longer where the system wakes it on a core that is busy; and in a training step every layer of
batch norm waits twice."""

# Somebody else may need this core. (macOS has no sched_yield.)
_give_way = getattr(os, "sched_yield", lambda: sleep(0))


class PeerLostError(Exception):
    """The other end is gone, or cannot be told what it must know."""


class Channel:
    """One end. All methods raise PeerLostError."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(True)  # whatever the program's default is
        self._end = end

    def send(self, message: Any) -> None:
        """Any object that can be pickled."""
        try:
            body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # whatever the objects' own methods raise
            raise PeerLostError(f"cannot be sent: {error}") from error
        try:
            self._end.sendall(_HEADER.pack(len(body)) + body, getattr(socket, "MSG_NOSIGNAL", 0))
        except OSError as error:
            raise PeerLostError from error

    def receive(self) -> Any:
        """Waits for the next message."""
        header = self._await_header()
        (size,) = _HEADER.unpack(header + self._exactly(_HEADER.size - len(header)))
        return pickle.loads(self._exactly(size))

    def has_message(self) -> bool:
        """Whether `receive` would not have to wait."""
        return self._read(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) is not None

    def send_descriptor(self, descriptor: int) -> None:
        """An open file, for the other process to have too."""
        try:
            socket.send_fds(self._end, [b"\0"], [descriptor])
        except OSError as error:
            raise PeerLostError from error

    def receive_descriptor(self) -> int:
        try:
            _, descriptors, _, _ = socket.recv_fds(self._end, 1, 1)
        except OSError as error:
            raise PeerLostError from error
        if not descriptors:
            raise PeerLostError
        return descriptors[0]

    def close(self) -> None:
        self._end.close()

    def _await_header(self) -> bytes:
        """Its first bytes, one at least."""
        until = perf_counter() + PATIENCE
        while perf_counter() < until:
            header = self._read(_HEADER.size, socket.MSG_DONTWAIT)
            if header is not None:
                return header
            _give_way()
        return self._read(_HEADER.size) or b""

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._read(min(size, 1 << 20)) or b""
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _read(self, most: int, flags: int = 0) -> bytes | None:
        """At least one byte, or None where that would mean to wait and the flags forbid it."""
        try:
            found = self._end.recv(most, flags)
        except BlockingIOError:
            return None
        except OSError as error:
            raise PeerLostError from error
        if not found:
            raise PeerLostError
        return found
