"""Before and after a step of the optimizer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

import cnncli
from cnncli.cli.drawing import DrawingOptions
from cnncli.cli.look import note_random_weights, note_stand_in
from cnncli.cli.options import InputOptions, Label, NetworkOptions, PickOptions, examples
from cnncli.cli.panels import COMPUTING, INPUT

CHANNELS = 4, 8
"""How many of a layer are drawn in the terminal and in files: each stands there before, after and as the difference."""


@examples(
    "cnncli visualize step --run runs/first --input train:3",
    "cnncli visualize step --run runs/first --samples 64 --lr 0.01 --layer conv1 --out pictures",
)
def step(
    network: NetworkOptions,
    shown: InputOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    label: Label = None,
    samples: Annotated[
        int,
        typer.Option("--samples", min=1, metavar="N", help="Training samples, without --input.", rich_help_panel=INPUT),
    ] = 16,
    lr: Annotated[
        float | None,
        typer.Option(
            "--lr",
            metavar="RATE",
            help="Plain gradient descent with this rate, instead of the configured optimizer.",
            rich_help_panel=COMPUTING,
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", min=1, metavar="K", help="How many steps.", rich_help_panel=COMPUTING)
    ] = 1,
) -> None:
    """Draw what one step of the optimizer changes, against what the gradient promised."""
    from cnncli.cli.output import show
    from cnncli.render.document import plain
    from cnncli.render.terminal.step import step as render

    drawing.check()
    session = network.load()
    result = cnncli.step(
        session,
        input=shown.input_,
        label=label or [],
        samples=samples,
        lr=lr,
        steps=steps,
        train_mode=shown.train_mode,
    )
    board = result.pictures(picked.pick(drawing.out, CHANNELS))
    note_random_weights(session)
    subject = result.view.subject
    others = f" and {subject.samples - 1} more" if subject.samples > 1 else ""
    note_stand_in(shown.input_, [subject.input + others])
    if not drawing.json:
        show(render(result.view), "")
    if drawing.out is None and not drawing.json and not picked.layer:
        others = "single layers: --layer NAME, or all by --out DIR"
        overview = board.sheets[0]
        changes = tuple(row for row in overview.rows if row.what.endswith("-change"))
        board = replace(board, sheets=(replace(overview, rows=changes),), notes=(*board.notes, others))
    drawing.present(board, {**plain(board), **plain(result.view)}, result.nonfinite)
