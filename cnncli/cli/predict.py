"""`cnncli predict`."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.options import (
    INPUT,
    OUTPUT,
    Checkpoint,
    Config,
    Dtype,
    Input,
    Json,
    Run,
    Set,
    Workers,
    examples,
    network,
)


@examples("cnncli predict --run runs/first boot.png bag.png", "cnncli predict --run runs/first --input test:17 --top 5")
def predict(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...", help="What to look at; as --input.", show_default=False, rich_help_panel=INPUT
        ),
    ] = None,
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    input_: Input = None,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="How many classes.", rich_help_panel=OUTPUT)
    ] = 3,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Tell the most probable classes of images."""
    from cnncli.cli.look import fail_unless_finite, note_random_weights
    from cnncli.cli.output import show, show_json
    from cnncli.render import tables
    from cnncli.render.values import Values

    inputs = [*(images or []), *(input_ or [])]
    session = cnncli.load(**network(config, run, checkpoint, set_, workers, dtype))
    found = cnncli.predict(session, input=inputs, top=top)
    note_random_weights(session)
    if json:
        show_json(found, arrays=not found[0].top)
    elif found[0].top:
        show(tables.predictions(found))
    else:
        show(*(Values(each.input, each.output) for each in found))
    fail_unless_finite(*(each.output for each in found))
