"""How maps and filters changed in a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

import cnncli
from cnncli.cli.drawing import DrawingOptions, present
from cnncli.cli.options import PickOptions, Run, examples
from cnncli.cli.panels import OUTPUT
from cnncli.errors import UsageError

if TYPE_CHECKING:
    pass

FORMATS: dict[str, tuple[Literal["gif", "webp"], ...]] = {
    "gif": ("gif",),
    "webp": ("webp",),
    "both": ("gif", "webp"),
    "none": (),
}

CHANNELS = 2, 8
"""How many of a layer are drawn in the terminal and in files, unless it is said: each has a row of its own."""
STEPS = 8
"""So many stand side by side in files."""
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
        Literal["gif", "webp", "both", "none"] | None,
        typer.Option(
            "--format", help="With --out: which animations are written too; by default gif.", rich_help_panel=OUTPUT
        ),
    ] = None,
) -> None:
    """Draw how maps and filters changed in a training."""
    from cnncli.cli.output import console

    scale, out = drawing.check(), drawing.out
    if run is None:
        raise UsageError("which run? give --run DIR")
    if films is not None and out is None:
        raise UsageError("--format is that of the animations that --out DIR writes: give it too")
    if out is None:
        columns = max(console().width // TILE, 2)
        drawing.present(
            cnncli.evolution(
                run, of=of or ["activations"], pick=picked.pick(out, CHANNELS), columns=steps or columns
            ).board
        )
        return
    from cnncli.cli.look import fail_if_nonfinite
    from cnncli.render.png.animation import save_films
    from cnncli.render.png.gallery import save_board
    from cnncli.render.terminal.board import board as draw

    found = cnncli.evolution(run, of=of or [], pick=picked.pick(out, CHANNELS), columns=steps or STEPS)
    *pictures, manifest = save_board(found.board, out, scale, npy=drawing.npy)
    files = [*pictures, *save_films(found.films, out, FORMATS[films or "gif"]), manifest]
    present(found.board, files, lambda: draw(found.board, scale), json=drawing.json)
    fail_if_nonfinite(found.board.nonfinite)
