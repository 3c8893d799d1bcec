"""How downloads go, on stderr: a moving bar in a terminal; in a pipe a line for each file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cnncli.cli.output import console, note
from cnncli.data.download import Listener
from cnncli.wording import printable

if TYPE_CHECKING:
    from rich.progress import Progress

MEGABYTE = 10**6


class Lines(Listener):
    """What has happened, a line each."""

    def started(self, name: str, url: str, done: int) -> None:
        resumed = f", from byte {done:,} on" if done else ""
        note(f"{printable(url)}{resumed}")

    def failed(self, url: str, reason: str) -> None:
        note(f"  failed: {reason}")

    def finished(self, name: str, size: int) -> None:
        note(f"  {name}: {size / MEGABYTE:.1f} MB, verified")


class MovingBar(Lines):
    """The same above a bar."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar

    def started(self, name: str, url: str, done: int) -> None:
        super().started(name, url, done)
        for task in self.bar.task_ids:
            self.bar.remove_task(task)
        self.bar.add_task(name, total=None, completed=done)

    def advanced(self, done: int, total: int) -> None:
        self.bar.update(self.bar.task_ids[-1], completed=done, total=total)


@contextmanager
def downloading() -> Iterator[Listener]:
    """A listener for as long as downloads go."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console(stderr=True), transient=True) as bar:
        yield MovingBar(bar)
