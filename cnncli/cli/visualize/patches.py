"""What excites a channel most."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.drawing import DrawingOptions
from cnncli.cli.options import Input, NetworkOptions, PickOptions, SomeSamples, Split, examples
from cnncli.cli.panels import OUTPUT
from cnncli.cli.progress import counting


@examples(
    "cnncli visualize patches --run runs/first --layer conv1",
    "cnncli visualize patches --run runs/first --layer conv2 --channels 3,7 --split train --out pictures",
)
def patches(
    network: NetworkOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    input_: Input = None,
    split: Split = None,
    samples: SomeSamples = 1000,
    count: Annotated[
        int, typer.Option("--count", min=1, metavar="K", help="Patches of each channel.", rich_help_panel=OUTPUT)
    ] = 8,
) -> None:
    """Draw the parts of the data that excite a channel most.

    Each is cut to exactly what the channel's largest value sees of the input; blue is padding.
    """
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights
    from cnncli.cli.output import note

    drawing.check()
    pick = picked.pick(drawing.out)
    session = network.load()
    with counting("samples") as progress:
        view = cnncli.patches(
            session, input=input_, split=split, samples=samples, count=count, pick=pick, progress=progress
        )
    note_random_weights(session)
    if not picked.layer:
        note(f"no --layer is given: this is {view.layers[0].node}")
    drawing.present(view.board, view)
    fail_if_nonfinite([layer.node for layer in view.layers if layer.nonfinite])
