"""How maps and filters changed in a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import cnncli
from cnncli.cli.options import PickOptions, Run, examples
from cnncli.cli.panels import OUTPUT
from cnncli.cli.visualize.drawing import DrawingOptions, present
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views import Pick

FORMATS: dict[str, tuple[Literal["gif", "webp"], ...]] = {
    "gif": ("gif",),
    "webp": ("webp",),
    "both": ("gif", "webp"),
    "none": (),
}

IN_TERMINAL, IN_FILES = 2, 8
"""How many channels of a layer are drawn, unless it is said."""
TILE = 18
"""Columns of the terminal for each step."""


@examples(
    "cnncli train --config lenet5.yaml --set 'train.watch={}' --out runs/first",
    "cnncli visualize evolution --run runs/first --layer conv2",
    "cnncli visualize evolution --run runs/first --out pictures",
)
def evolution(
    picked: PickOptions,
    drawing: DrawingOptions,
    run: Run = None,
    of: Annotated[
        list[str] | None,
        typer.Option(
            "--of",
            metavar="WHAT",
            help="activations, filters or gradients; repeatable; by default activations, with --out all.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=2,
            metavar="N",
            help="Steps side by side; by default as many as fit, with --out 8.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    films: Annotated[
        Literal["gif", "webp", "both", "none"],
        typer.Option("--format", help="With --out: which animations are written too.", rich_help_panel=OUTPUT),
    ] = "gif",
) -> None:
    """Draw how maps and filters changed in a training."""
    from cnncli.cli.output import console

    scale, out = drawing.check(), drawing.out
    if run is None:
        raise UsageError("which run? give --run DIR")
    if out is None:
        columns = max(console().width // TILE, 2)
        drawing.present(
            cnncli.evolution(run, of=of or ["activations"], pick=_pick(picked, out), columns=steps or columns).board
        )
        return
    from cnncli.cli.look import fail_if_nonfinite
    from cnncli.render.png.animation import save_films
    from cnncli.render.png.gallery import save_board
    from cnncli.render.terminal.board import board as draw

    found = cnncli.evolution(run, of=of or [], pick=_pick(picked, out), columns=steps or IN_FILES)
    *pictures, manifest = save_board(found.board, out, scale, npy=drawing.npy)
    files = [*pictures, *save_films(found.films, out, FORMATS[films]), manifest]
    present(found.board, files, lambda: draw(found.board, scale), json=drawing.json)
    fail_if_nonfinite(found.board.nonfinite)


def _pick(options: PickOptions, out: Path | None) -> Pick:
    """With fewer channels than elsewhere, since each has a row of its own."""
    pick = options.pick(out)
    said = options.channels is not None or options.top is not None or options.every
    return pick if said else replace(pick, top=IN_TERMINAL if out is None else IN_FILES)
