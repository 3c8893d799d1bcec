"""`cnncli runs list`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

import cnncli
from cnncli.cli.options import Json, examples
from cnncli.cli.panels import INPUT, OUTPUT


@examples("cnncli runs", "cnncli runs list experiments --sort test")
def runs(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="The folder that holds the runs; by default 'runs'.",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ] = None,
    sort: Annotated[
        Literal["started", "name", "state", "epochs", "best", "test", "parameters", "time"],
        typer.Option("--sort", help="What comes first: the latest, the best, the largest.", rich_help_panel=OUTPUT),
    ] = "started",
    json: Json = False,
) -> None:
    """List the runs of a folder, with what each came to."""
    from cnncli.cli.output import show, show_json
    from cnncli.render.terminal.runs import runs as draw

    view = cnncli.runs(sort=sort) if folder is None else cnncli.runs(folder, sort=sort)
    if json:
        show_json(view)
    else:
        show(draw(view))
