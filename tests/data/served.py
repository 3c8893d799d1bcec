"""A server on loopback with files that it gives whole, cut short, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Place:
    """What a server has, how it behaves, and what it was asked for."""

    files: dict[str, bytes]
    ranges: bool = True
    """Whether it knows ranges; otherwise it sends everything each time."""
    cut: dict[str, int] = field(default_factory=dict)
    """After so many bytes of a file the connection breaks off, once."""
    endless: bool = False
    """Whether it sends bytes for as long as somebody takes them, and does not say how many."""
    moved: str = ""
    """Another place that it sends everybody to, with such bytes."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Files, and the ranges that were wanted."""
    url: str = ""


@contextmanager
def serving(place: Place) -> Iterator[Place]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path.rsplit("/", 1)[1], self.headers.get("Range")
            place.asked.append((name, wanted))
            if place.endless or place.moved:
                self._send_without_end(f"{place.moved}/{name}" if place.moved else None)
                return
            if name not in place.files:
                self.send_error(404)
                return
            whole = place.files[name]
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and place.ranges else 0
            if start and start >= len(whole):
                self.send_error(416)
                return
            rest = whole[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(rest)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
            self.end_headers()
            self.wfile.write(rest[: place.cut.pop(name, len(rest))])
            self.close_connection = True

        def _send_without_end(self, location: str | None) -> None:
            self.send_response(302 if location else 200)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            with suppress(ConnectionError):
                while True:
                    self.wfile.write(bytes(1 << 16))

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    place.url = f"http://127.0.0.1:{server.server_address[1]}/files"
    try:
        yield place
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
