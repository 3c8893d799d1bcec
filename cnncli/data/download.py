"""One file from the network: from the first place that has it, resumed where an earlier attempt broke off."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from cnncli.errors import OutcomeError, OutputError, UsageError
from cnncli.files import FIXES
from cnncli.wording import printable

TIMEOUT = 30
"""Seconds without a word from the server after which a place is given up."""
CHUNK = 1 << 14
"""Bytes that are written at a time: of what a broken connection has brought, so many may be lost."""


class Listener:
    """Is told how downloads go; this one tells nobody."""

    def started(self, name: str, url: str, done: int) -> None:
        """A place is asked for the file, of which so many bytes are there from earlier."""

    def advanced(self, done: int, total: int) -> None:
        """So many bytes of the file are there; `total` is 0 where the server does not tell."""

    def failed(self, url: str, reason: str) -> None:
        """A place has not got it, or not all of it."""

    def finished(self, name: str, size: int) -> None:
        """The file is there, and is the right one."""


class _WrongFileError(Exception):
    """What has arrived is not what was wanted."""


def matches(path: Path, sha256: str) -> bool:
    """Whether the file is there, with this checksum."""
    return path.is_file() and bool(_pooch().file_hash(str(path), alg="sha256") == sha256)


def download(path: Path, urls: Sequence[str], sha256: str, listener: Listener) -> None:
    """Fetches `path` from one of the places, the first first; it appears once it is whole and right.

    What has arrived stays in `<name>.part` until then, and the next call goes on from there. Raises UsageError without
    pooch, OutcomeError with the reason of every place, OutputError where it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    reasons = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            reason = _try(url, part, sha256, path.name, listener)
            if reason is None:
                os.replace(part, path)
                listener.finished(path.name, path.stat().st_size)
                return
            if part.exists() and not part.stat().st_size:
                part.unlink()
            listener.failed(url, reason)
            reasons.append(f"{printable(url)}: {reason}")
    except OSError as error:
        fix = FIXES.get(error.errno or 0, "choose another place with --out")
        raise OutputError(f"{printable(path)}: cannot be written: {error.strerror or error}; {fix}") from error
    kept = "; what has arrived is kept, and the next call goes on from there" if part.exists() else ""
    fix = f"check the network, or give another place with --mirror URL{kept}"
    raise OutcomeError("\n".join([f"{printable(path.name)} could not be downloaded", *reasons, fix]))


def _try(url: str, part: Path, sha256: str, name: str, listener: Listener) -> str | None:
    """Why this place has not given the file; None where it has. What was resumed and is wrong is fetched anew."""
    from requests import exceptions  # noqa: PLC0415 - needed here alone, and comes with pooch

    while True:
        start = part.stat().st_size if part.exists() else 0
        if start and matches(part, sha256):
            return None
        listener.started(name, url, start)
        try:
            _append(url, part, start, listener)
            _require(part, sha256)
        except (_WrongFileError, exceptions.HTTPError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if isinstance(error, _WrongFileError) or status == 416:  # 416: it has no bytes beyond those that are there
                part.unlink(missing_ok=True)
                if start:
                    continue
            return _reason(error)
        except exceptions.RequestException as error:
            return _reason(error)
        return None


def _append(url: str, part: Path, start: int, listener: Listener) -> None:
    """Adds the rest of the file to `part`; from the beginning where the server knows no ranges."""
    # Without compression on the way: the ranges are those of the file.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    with part.open("ab") as file:
        counter = _Counter(start, listener.advanced)

        def answered(response: Any, **_: Any) -> None:
            """Comes before the first byte."""
            if response.status_code != 206:
                counter.start = 0
            if response.status_code == 200:
                file.truncate(0)

        get = _pooch().HTTPDownloader(
            progressbar=counter, chunk_size=CHUNK, headers=headers, hooks={"response": answered}, timeout=TIMEOUT
        )
        get(url, file, None)
        file.flush()
        os.fsync(file.fileno())


class _Counter:
    """The progress bar that pooch asks for: counts bytes of the whole file, of which `start` were there before."""

    def __init__(self, start: int, advanced: Callable[[int, int], None]) -> None:
        self.start, self.advanced = start, advanced
        self.total = 0  # of what arrives now; set by pooch, 0 where it is not known
        self.done = 0

    def update(self, count: int) -> None:
        """So much more has arrived (pooch always tells the size of a whole chunk)."""
        self.done = min(self.done + count, self.total)
        self.advanced(self.start + self.done, self.start + self.total if self.total else 0)

    def reset(self) -> None:
        """Back to nothing: at the end pooch tells all of it at once."""
        self.done = 0

    def close(self) -> None:
        """Nothing is open."""


def _require(part: Path, sha256: str) -> None:
    given = _pooch().file_hash(str(part), alg="sha256")
    if given != sha256:
        raise _WrongFileError(f"another file than expected: its SHA-256 is {given[:12]}..., not {sha256[:12]}...")


def _reason(error: Exception) -> str:
    """In a few words; the whole message of requests is a paragraph."""
    from requests import exceptions  # noqa: PLC0415 - as above

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.Timeout):
        return f"no answer within {TIMEOUT} seconds"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, exceptions.SSLError):
        return "its certificate cannot be trusted"
    if isinstance(error, exceptions.ConnectionError):
        return "cannot be reached"
    return printable(error)


def _pooch() -> Any:
    """The library, which is an extra. Raises UsageError without it."""
    try:
        return import_module("pooch")
    except ImportError as error:
        raise UsageError("downloads need pooch; install it with: pip install 'cnncli[fetch]'") from error
