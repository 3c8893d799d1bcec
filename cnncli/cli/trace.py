"""`cnncli trace`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

import cnncli
from cnncli.cli.drawing import DrawingOptions
from cnncli.cli.options import InputOptions, NetworkOptions, ObjectiveOptions, examples
from cnncli.cli.panels import INPUT, OUTPUT
from cnncli.errors import UsageError

NUMBER = "Number"

LayerName = Annotated[
    str | None,
    typer.Option(
        "--layer", "-l", metavar="NAME", help="Whose number: a layer, input, or loss.", rich_help_panel=NUMBER
    ),
]
Channel = Annotated[
    int | None,
    typer.Option(
        "--channel", metavar="C", help="Its channel; if not given, that of the largest.", rich_help_panel=NUMBER
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="ROW,COLUMN", help="Its place; if not given, that of the largest.", rich_help_panel=NUMBER
    ),
]
Backward = Annotated[
    bool, typer.Option("--backward", "-b", help="Its gradient: dL/d of that output, or pixel.", rich_help_panel=NUMBER)
]
Weight = Annotated[
    str | None,
    typer.Option(
        "--weight",
        metavar="O,I,R,C",
        help="The gradient of this element of its weight, or: largest.",
        rich_help_panel=NUMBER,
    ),
]
Bias = Annotated[
    str | None,
    typer.Option(
        "--bias",
        metavar="O",
        help="The gradient of this element of its bias, or: largest.",
        rich_help_panel=NUMBER,
    ),
]
ReceptiveField = Annotated[
    bool,
    typer.Option("--receptive-field", help="What of the input image the number sees.", rich_help_panel=NUMBER),
]
Sample = Annotated[
    int, typer.Option("--sample", min=0, metavar="N", help="Which of several inputs.", rich_help_panel=INPUT)
]
Every = Annotated[bool, typer.Option("--all", help="All terms, not the largest alone.", rich_help_panel=OUTPUT)]
Digits = Annotated[
    int,
    typer.Option("--digits", min=2, max=17, metavar="N", help="Digits of the largest number.", rich_help_panel=OUTPUT),
]


@examples(
    "cnncli trace --run runs/first --input test:17 --layer conv2 --channel 3 --at 4,5",
    "cnncli trace --run runs/first --input test:17 --layer conv1 --weight 3,0,1,2",
    "cnncli trace --run runs/first --input test:17 --layer input --at 14,14 --backward --target 9",
    "cnncli trace --run runs/first --input test:17 --layer conv2 --receptive-field",
)
def trace(
    network: NetworkOptions,
    shown: InputOptions,
    objective: ObjectiveOptions,
    drawing: DrawingOptions,
    layer: LayerName = None,
    channel: Channel = None,
    at: At = None,
    backward: Backward = False,
    weight: Weight = None,
    bias: Bias = None,
    receptive_field: ReceptiveField = False,
    sample: Sample = 0,
    every: Every = False,
    digits: Digits = 4,
) -> None:
    """Show the arithmetic of one number, forward or backward.

    The products of a convolution, the winner of a window, the gate of an activation, the terms of a loss.

    With --backward, --weight, --bias: every way in which the number acts on the loss, the strongest first.

    The sum is compared with what the engine computed.
    """
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights, note_stand_in
    from cnncli.cli.output import show, show_json
    from cnncli.render.trace_document import trace_document

    drawing.check()
    if layer is None:
        raise UsageError("which layer? give --layer NAME, of the input or of the loss: --layer input, --layer loss")
    if not receptive_field and replace(drawing, json=False) != DrawingOptions():
        raise UsageError("--out, --npy, --scale and --graphics draw what a number sees: give --receptive-field too")
    session = network.load("float64")
    traced = cnncli.trace(
        session,
        layer=layer,
        channel=channel,
        at=at,
        backward=backward,
        weight=weight,
        bias=bias,
        receptive_field=receptive_field,
        input=shown.input_,
        sample=sample,
        label=objective.label or [],
        target=objective.target,
        upstream=objective.upstream,
        train_mode=shown.train_mode,
    )
    note_random_weights(session)
    note_stand_in(shown.input_, [traced.subject.input])
    if traced.field is not None:
        from cnncli.inspection.views.receptive_field import receptive_field_board

        drawing.present(receptive_field_board(traced, session.graph), trace_document(traced))
    elif drawing.json:
        show_json(trace_document(traced))
    else:
        from cnncli.render.terminal.trace import trace as render

        show(render(traced, every=every, digits=digits))
    fail_if_nonfinite(traced.nonfinite)
