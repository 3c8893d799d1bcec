"""What a channel would like best."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.drawing import DrawingOptions
from cnncli.cli.options import Input, NetworkOptions, PickOptions, SomeSamples, Split, examples
from cnncli.cli.progress import counting


@examples(
    "cnncli visualize activation-max --run runs/first",
    "cnncli visualize activation-max --run runs/first --layer conv2 --channels 3,7 --steps 500 --out pictures",
)
def activation_max(
    network: NetworkOptions,
    picked: PickOptions,
    drawing: DrawingOptions,
    input_: Input = None,
    split: Split = None,
    samples: SomeSamples = 500,
    steps: Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Steps of gradient ascent.")] = 256,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the noise at the start.")] = 0,
) -> None:
    """Draw an image that a channel would like best, beside the sample that it likes best."""
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights
    from cnncli.cli.output import note

    drawing.check()
    pick = picked.pick(drawing.out)
    session = network.load()
    with counting("steps") as progress:
        view = cnncli.activation_max(
            session,
            input=input_,
            split=split,
            samples=samples,
            pick=pick,
            steps=steps,
            seed=seed,
            progress=progress,
        )
    note_random_weights(session)
    if not picked.layer:
        note(f"no --layer is given: this is {view.layers[0].node}")
    drawing.present(view.board, {"samples": view.samples, "steps": view.steps, "layers": view.layers})
    fail_if_nonfinite(view.nonfinite)
