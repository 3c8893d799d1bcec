"""What the commands that look at many samples have in common."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cnncli.cli.panels import INPUT

Split = Annotated[
    Literal["train", "val", "test"] | None,
    typer.Option("--split", help="Which samples; by default test, else val, else train.", rich_help_panel=INPUT),
]
AllSamples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        metavar="N",
        help="So many, evenly spread over the split; by default all.",
        rich_help_panel=INPUT,
    ),
]
SomeSamples = Annotated[
    int,
    typer.Option("--samples", min=1, metavar="N", help="So many, evenly spread over the split.", rich_help_panel=INPUT),
]
