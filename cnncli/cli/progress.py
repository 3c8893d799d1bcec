"""How long work goes, on stderr: a moving bar in a terminal; in a pipe a line an epoch of a training, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cnncli.cli.output import console, note

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


@contextmanager
def counting(what: str = "") -> Iterator[Callable[[int, int], None]]:
    """Is told how many are done, and of how many; `what` they are, in the plural."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn(f"{{task.completed:,}} of {{task.total:,}} {what}"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


@contextmanager
def naming() -> Iterator[Callable[[str, int, int], None]]:
    """Is told what is done next, how many things were before it, and how many there are: a line that changes in a
    terminal, a line for each in a pipe."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: note(f"{done + 1}/{total}  {name}")
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed}/{task.total}  {task.description}"))
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda name, done, total: bar.update(task, description=name, completed=done + 1, total=total)
