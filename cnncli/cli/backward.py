"""`cnncli backward`."""

from __future__ import annotations

import cnncli
from cnncli.cli.options import (
    Dtype,
    InputOptions,
    Json,
    LayerNames,
    ManySamples,
    NetworkOptions,
    ObjectiveOptions,
    Pictures,
    ReplayStep,
    Save,
    Values,
    examples,
)


@examples(
    "cnncli backward --run runs/first --input test:17",
    "cnncli backward --run runs/first --input boot.png --target 9 --out pictures",
    "cnncli backward --run runs/first --samples 500",
    "cnncli backward --config edge3x3.yaml --input grid.txt --upstream grid.txt --values",
    "cnncli backward --run runs/first --input batch.npz --train-mode --step 700",
)
def backward(
    network: NetworkOptions,
    shown: InputOptions,
    objective: ObjectiveOptions,
    samples: ManySamples = None,
    step: ReplayStep = None,
    layer: LayerNames = None,
    values: Values = False,
    save: Save = None,
    out: Pictures = None,
    json: Json = False,
    dtype: Dtype = "float32",
) -> None:
    """Show what flows back: the gradients of outputs and parameters."""
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights, note_stand_in
    from cnncli.cli.output import show, show_json
    from cnncli.cli.pictures import require_folder, write_pictures
    from cnncli.cli.progress import counting
    from cnncli.render.document import plain
    from cnncli.render.terminal import flow

    require_folder(out)
    session = network.load(dtype)
    with counting("samples") as progress:
        result = cnncli.backward(
            session,
            input=shown.input_,
            samples=samples,
            label=objective.label or [],
            target=objective.target,
            upstream=objective.upstream,
            layer=layer or [],
            train_mode=shown.train_mode,
            step=step,
            save=save,
            progress=progress,
        )
    note_random_weights(session)
    if samples is None:
        note_stand_in(shown.input_, [result.view.subject.input])
    files = [] if out is None else write_pictures(result.mirror(), out)
    if json:
        show_json({**plain(result.view, arrays=values), "files": files})
    else:
        show(flow.backward(result.view, values=values))
    fail_if_nonfinite(result.nonfinite)
