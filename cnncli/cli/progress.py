"""How a training or a check goes, on stderr: a moving bar in a terminal; in a pipe a line an epoch, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cnncli.cli.output import console

if TYPE_CHECKING:
    from cnncli.training.progress import Listener


@contextmanager
def progress(*, quiet: bool) -> Iterator[Listener]:
    """A listener for as long as the training goes."""
    from cnncli.training.progress import Listener, PlainLines

    if quiet:
        yield Listener()
    elif sys.stderr.isatty():
        from cnncli.cli.live_bar import LiveBar

        with LiveBar() as bar:
            yield bar
    else:
        yield PlainLines(sys.stderr)


@contextmanager
def checking() -> Iterator[Callable[[str, int, int], None]]:
    """A callback for a gradient check: a moving bar in a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("checking {task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda name, done, total: bar.update(task, description=name, completed=done, total=total)
