"""The other end of `benchmarks.contestant`: starts one, asks, waits for the answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.contestants import TITLES

ROOT = Path(__file__).parents[1]


class Remote:
    """A running contestant. Use as a context manager."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.messages = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contestant", name, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.messages,
            text=True,
            cwd=ROOT,
        )
        self.version: str = self._answer()["version"]

    def ask(self, do: str, **options: Any) -> dict[str, Any]:
        """The answer to a command. SystemExit, with what the process wrote last, if it ended instead."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: `_answer` tells why
            self.process.stdin.write(json.dumps({"do": do, **options}) + "\n")
            self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.messages.seek(0)
            last = "".join(self.messages.readlines()[-20:])
            raise SystemExit(f"{last}\nthe contestant {TITLES[self.name]} ended before it answered")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.communicate()  # ends its stdin, upon which it goes
        self.messages.close()
