"""`cnncli backward`."""

from __future__ import annotations

import cnncli
from cnncli.cli.options import (
    Checkpoint,
    Config,
    Dtype,
    Input,
    Json,
    Label,
    LayerNames,
    Pictures,
    Run,
    Save,
    Set,
    Target,
    TrainMode,
    Upstream,
    Values,
    Workers,
    examples,
    network,
)


@examples(
    "cnncli backward --run runs/first --input test:17",
    "cnncli backward --run runs/first --input boot.png --target 9",
    "cnncli backward --config edge3x3.yaml --input grid.txt --upstream grid.txt --values",
)
def backward(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    input_: Input = None,
    label: Label = None,
    target: Target = None,
    upstream: Upstream = None,
    train_mode: TrainMode = False,
    layer: LayerNames = None,
    values: Values = False,
    save: Save = None,
    out: Pictures = None,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Show what flows back: the gradients of outputs and parameters."""
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights, note_stand_in, write_pictures
    from cnncli.cli.output import show, show_json
    from cnncli.render import flow

    session = cnncli.load(**network(config, run, checkpoint, set_, workers, dtype))
    result = cnncli.backward(
        session,
        input=input_,
        label=label or [],
        target=target,
        upstream=upstream,
        layer=layer or [],
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
        show(flow.backward(result.view, values=values))
    fail_if_nonfinite(result.nonfinite)
