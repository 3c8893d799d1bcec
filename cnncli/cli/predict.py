"""`cnncli predict`."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.options import Dtype, Input, Json, NetworkOptions, examples
from cnncli.cli.panels import INPUT, OUTPUT


@examples("cnncli predict --run runs/first boot.png bag.png", "cnncli predict --run runs/first --input test:17 --top 5")
def predict(
    network: NetworkOptions,
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...", help="What to look at; as --input.", show_default=False, rich_help_panel=INPUT
        ),
    ] = None,
    input_: Input = None,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="How many classes.", rich_help_panel=OUTPUT)
    ] = 3,
    json: Json = False,
    dtype: Dtype = "float32",
) -> None:
    """Tell the most probable classes of images."""
    from cnncli.cli.look import note_random_weights, require_finite
    from cnncli.cli.output import show, show_json
    from cnncli.render.terminal.predictions import predictions
    from cnncli.render.terminal.values import Values

    inputs = [*(images or []), *(input_ or [])]
    session = network.load(dtype)
    found = cnncli.predict(session, input=inputs, top=top)
    note_random_weights(session)
    if json:
        show_json(found, arrays=not found[0].top)
    elif found[0].top:
        show(predictions(found))
    else:
        show(*(Values(each.input, each.output) for each in found))
    require_finite(*(each.output for each in found))
