"""`cnncli forward`."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.options import (
    Dtype,
    InputOptions,
    Json,
    LayerNames,
    ManySamples,
    NetworkOptions,
    Pictures,
    ReplayStep,
    Save,
    Values,
    examples,
)
from cnncli.cli.panels import OUTPUT


@examples(
    "cnncli forward --config edge3x3.yaml --input grid.txt --values",
    "cnncli forward --run runs/first --input boot.png --save boot.npz",
    "cnncli forward --run runs/first --samples 500",
)
def forward(
    network: NetworkOptions,
    shown: InputOptions,
    samples: ManySamples = None,
    step: ReplayStep = None,
    layer: LayerNames = None,
    values: Values = False,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="How many classes.", rich_help_panel=OUTPUT)
    ] = 5,
    save: Save = None,
    out: Pictures = None,
    json: Json = False,
    dtype: Dtype = "float32",
) -> None:
    """Show what flows forward: each layer's output, then the classes."""
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights, note_stand_in
    from cnncli.cli.output import show, show_json
    from cnncli.cli.pictures import require_folder, write_pictures
    from cnncli.cli.progress import counting
    from cnncli.render.document import plain
    from cnncli.render.terminal import flow

    require_folder(out)
    session = network.load(dtype)
    with counting("samples") as progress:
        result = cnncli.forward(
            session,
            input=shown.input_,
            samples=samples,
            layer=layer or [],
            top=top,
            train_mode=shown.train_mode,
            step=step,
            save=save,
            progress=progress,
        )
    note_random_weights(session)
    if samples is None:
        note_stand_in(shown.input_, [result.view.subject.input])
    files = [] if out is None else write_pictures(result.pictures(), out)
    if json:
        show_json({**plain(result.view, arrays=values), "files": files})
    else:
        show(flow.forward(result.view, values=values))
    fail_if_nonfinite(result.nonfinite)
