"""`cnncli forward`."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.options import (
    OUTPUT,
    Checkpoint,
    Config,
    Dtype,
    Input,
    Json,
    LayerNames,
    Pictures,
    Run,
    Save,
    Set,
    TrainMode,
    Values,
    Workers,
    examples,
    network,
)


@examples(
    "cnncli forward --config edge3x3.yaml --input grid.txt --values",
    "cnncli forward --run runs/first --input boot.png --save boot.npz",
)
def forward(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    input_: Input = None,
    train_mode: TrainMode = False,
    layer: LayerNames = None,
    values: Values = False,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="How many classes.", rich_help_panel=OUTPUT)
    ] = 5,
    save: Save = None,
    out: Pictures = None,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Show what flows forward: each layer's output, then the classes."""
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights, note_stand_in, write_pictures
    from cnncli.cli.output import show, show_json
    from cnncli.render import flow

    session = cnncli.load(**network(config, run, checkpoint, set_, workers, dtype))
    result = cnncli.forward(
        session,
        input=input_,
        layer=layer or [],
        top=top,
        train_mode=train_mode,
        save=save,
    )
    note_random_weights(session)
    note_stand_in(input_, [result.view.subject.input])
    if out is not None:
        write_pictures(result.pictures(), out)
    if json:
        show_json(result.view, arrays=values)
    else:
        show(flow.forward(result.view, values=values))
    fail_if_nonfinite(result.nonfinite)
