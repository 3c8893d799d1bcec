"""One file from the network: from the first place that has it, resumed where an earlier attempt broke off."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from cnncli.data.known_sets import KnownFile
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
        """So many bytes of the file are there, of `total`."""

    def failed(self, url: str, reason: str) -> None:
        """A place has not got it, or not all of it."""

    def finished(self, name: str, size: int) -> None:
        """The file is there, and is the right one."""


class _WrongFileError(Exception):
    """What has arrived is not what was wanted."""


def matches(path: Path, sha256: str) -> bool:
    """Whether the file is there, with this checksum."""
    return path.is_file() and bool(_pooch().file_hash(str(path), alg="sha256") == sha256)


def download(path: Path, urls: Sequence[str], wanted: KnownFile, listener: Listener) -> None:
    """Fetches `path` from one of the places, the first first; it appears once it is whole and right.

    What has arrived stays in `<name>.part` until then, and the next call goes on from there; never is it larger than
    the file. Raises UsageError without pooch, OutcomeError with the reason of every place, OutputError where it cannot
    be written.
    """
    part = path.with_name(f"{path.name}.part")
    reasons = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            reason = _try(url, part, wanted, path.name, listener)
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


def _try(url: str, part: Path, wanted: KnownFile, name: str, listener: Listener) -> str | None:
    """Why this place has not given the file; None where it has. What was resumed and is wrong is fetched anew."""
    from requests import exceptions  # noqa: PLC0415 - needed here alone, and comes with pooch

    while True:
        start = part.stat().st_size if part.exists() else 0
        if start > wanted.size:
            part.unlink()
            start = 0
        if start == wanted.size and matches(part, wanted.sha256):
            return None
        listener.started(name, url, start)
        try:
            _append(url, part, start, wanted.size, listener)
            _require(part, wanted.sha256)
        except (_WrongFileError, exceptions.HTTPError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if isinstance(error, _WrongFileError) or status == 416:  # 416: it has no bytes beyond those that are there
                part.unlink(missing_ok=True)
                if start:
                    continue
            return _reason(error)
        except (exceptions.RequestException, ValueError) as error:  # ValueError: what urllib3 takes for no address
            return _reason(error)
        return None


def _append(url: str, part: Path, start: int, size: int, listener: Listener) -> None:
    """Adds the rest of the file to `part`; from the beginning where the server knows no ranges."""
    # Without compression on the way: the ranges are those of the file.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    with part.open("ab") as file:
        kept = _Part(file, start, size, listener.advanced)

        def answered(response: Any, **_: Any) -> None:
            """Comes before the first byte."""
            if response.is_redirect:
                response.close()  # or requests would read all that comes with it, however much, into memory
            elif response.status_code == 200:
                kept.restart()

        get = _pooch().HTTPDownloader(chunk_size=CHUNK, headers=headers, hooks={"response": answered}, timeout=TIMEOUT)
        get(url, kept, None)
        file.flush()
        os.fsync(file.fileno())


class _Part:
    """The file that pooch writes to: counts what is there, and takes no more than belongs to the file."""

    def __init__(self, file: IO[bytes], done: int, size: int, advanced: Callable[[int, int], None]) -> None:
        self._file, self._done, self._size, self._advanced = file, done, size, advanced

    def write(self, chunk: bytes) -> None:
        """Raises _WrongFileError where a server sends more than the file has."""
        if self._done + len(chunk) > self._size:
            raise _WrongFileError(f"another file than expected: it is larger than {self._size:,} bytes")
        self._file.write(chunk)
        self._done += len(chunk)
        self._advanced(self._done, self._size)

    def flush(self) -> None:
        """So that nothing is lost when the connection, or we, break off."""
        self._file.flush()

    def restart(self) -> None:
        """All of it comes once more."""
        self._file.truncate(0)
        self._done = 0


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
