"""Results to stdout, as tables or as JSON; messages to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 120
"""Columns of a table that goes to a file or a pipe, unless COLUMNS says otherwise."""


def console(*, stderr: bool = False) -> Console:
    """A rich console; in a pipe without colour, and with room for whole tables."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False)


def show(*renderables: RenderableType) -> None:
    """Tables and pictures on stdout."""
    console().print(*renderables, sep="\n")


def show_paged(renderable: RenderableType) -> None:
    """The same through a pager, where somebody sits at a terminal and there is one."""
    from cnncli.render.terminal.pager import paged

    target = console()
    with paged(target):
        target.print(renderable)


def say(*lines: str) -> None:
    """Plain lines on stdout."""
    typer.echo("\n".join(lines))


def note(*lines: str) -> None:
    """Plain lines on stderr, for what is not the result itself."""
    typer.echo("\n".join(lines), err=True)


def show_json(value: object, *, arrays: bool = False) -> None:
    """One document on stdout, without the fields that hold arrays unless `arrays`."""
    from cnncli.render.document import to_json

    typer.echo(to_json(value, arrays=arrays))
