"""Long output page by page, where somebody sits at a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from rich.pager import Pager

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

LESS = "FRX"
"""What less does unless LESS says otherwise, as git has it: F no paging if all fits, R colours, X nothing is wiped."""


def paged(console: Console) -> AbstractContextManager[object]:
    """What is printed within it goes through $PAGER or less; through neither in a pipe, or where there is none."""
    command = pager_command(os.environ) if console.is_terminal else None
    return nullcontext() if command is None else console.pager(_Program(command), styles=True)


def pager_command(environment: Mapping[str, str]) -> list[str] | None:
    """The program and its arguments: $PAGER, or less; None if it is cat, empty, not there, or no command at all."""
    try:
        command = shlex.split(environment.get("PAGER", "less"))
    except ValueError:  # a quote without its other one
        return None
    there = command and command[0] != "cat" and shutil.which(command[0], path=environment.get("PATH"))
    return command if there else None


class _Program(Pager):
    def __init__(self, command: list[str]) -> None:
        self.command = command

    def show(self, content: str) -> None:
        # Ctrl-C is the pager's: it stops a search in it, and the terminal is its own until it ends.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            text = content.encode(errors="replace")
            subprocess.run(self.command, input=text, env={"LESS": LESS, **os.environ}, check=False)
        finally:
            signal.signal(signal.SIGINT, before)
