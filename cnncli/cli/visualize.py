"""`cnncli visualize`: pictures of what is inside a network, in the terminal or as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.options import (
    OUTPUT,
    Checkpoint,
    Config,
    Dtype,
    Input,
    Json,
    Label,
    LayerNames,
    Run,
    Set,
    Target,
    TrainMode,
    Upstream,
    Workers,
    examples,
    network,
)
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views import PanelsView, Pick

HELP = "Draw what is inside a network, in the terminal or as PNG."
FEATURE_MAPS_EXAMPLES = examples(
    "cnncli visualize feature-maps --run runs/first --input boot.png",
    "cnncli visualize feature-maps --run runs/first --input boot.png --layer conv1 --top 16 --out pictures",
)
FILTERS_EXAMPLES = examples("cnncli visualize filters --run runs/first --layer conv1")
GRADIENTS_EXAMPLES = examples("cnncli visualize gradients --run runs/first --input test:17 --target 9 --out pictures")
CURVES_EXAMPLES = examples("cnncli visualize curves --run runs/first")

Channels = Annotated[
    str | None, typer.Option("--channels", metavar="LIST", help="Which channels, as 0,3,8-10.", rich_help_panel=OUTPUT)
]
Top = Annotated[
    int, typer.Option("--top", min=1, metavar="K", help="How many channels: the strongest.", rich_help_panel=OUTPUT)
]
ScaleText = Annotated[
    str,
    typer.Option(
        "--scale", metavar="MODE", help="One colour scale a layer, map or net, or fixed:LO,HI.", rich_help_panel=OUTPUT
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write PNG files here.", rich_help_panel=OUTPUT)
]
Npy = Annotated[
    bool, typer.Option("--npy", help="With --out: write the raw array beside each picture.", rich_help_panel=OUTPUT)
]


def feature_maps(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    input_: Input = None,
    train_mode: TrainMode = False,
    layer: LayerNames = None,
    channels: Channels = None,
    top: Top = 64,
    scale: ScaleText = "layer",
    out: Out = None,
    npy: Npy = False,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Draw what each layer makes of an image."""
    view = cnncli.feature_maps(
        input=input_,
        pick=_pick(layer, channels, top),
        train_mode=train_mode,
        **network(config, run, checkpoint, set_, workers, dtype),
    )
    _present(view, given=input_, scale=scale, out=out, npy=npy, json=json)


def filters(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    layer: LayerNames = None,
    channels: Channels = None,
    top: Top = 64,
    scale: ScaleText = "layer",
    out: Out = None,
    npy: Npy = False,
    json: Json = False,
    workers: Workers = None,
) -> None:
    """Draw the weights."""
    view = cnncli.filters(pick=_pick(layer, channels, top), **network(config, run, checkpoint, set_, workers))
    _present(view, given=["weights"], scale=scale, out=out, npy=npy, json=json)


def gradients(
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
    channels: Channels = None,
    top: Top = 64,
    scale: ScaleText = "layer",
    out: Out = None,
    npy: Npy = False,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Draw the gradient of each layer's output and of the weights."""
    view = cnncli.gradients(
        input=input_,
        label=label or [],
        target=target,
        upstream=upstream,
        pick=_pick(layer, channels, top),
        train_mode=train_mode,
        **network(config, run, checkpoint, set_, workers, dtype),
    )
    _present(view, given=input_, scale=scale, out=out, npy=npy, json=json)


def curves(run: Run = None, out: Out = None, json: Json = False) -> None:
    """Draw how the loss and the metrics of a training went."""
    from cnncli.cli.output import say, show, show_json
    from cnncli.render.curves import curves as render
    from cnncli.render.document import plain
    from cnncli.render.gallery import save_curves

    if run is None:
        raise UsageError("which run? give --run DIR")
    view = cnncli.curves(run)
    files = [] if out is None else [save_curves(view, out)]
    if json:
        show_json({**plain(view), "files": files})
    elif files:
        say(*(f"wrote {file}" for file in files))
    else:
        show(render(view))


def _pick(layer: list[str] | None, channels: str | None, top: int) -> Pick:
    from cnncli.inspection.views import Pick, parse_channels

    return Pick(tuple(layer or ()), () if channels is None else parse_channels(channels), top)


def _present(view: PanelsView, *, given: list[str] | None, scale: str, out: Path | None, npy: bool, json: bool) -> None:
    """In the terminal, as files, or as JSON."""
    from cnncli.cli.output import say, show, show_json
    from cnncli.cli.seen import fail_if_nonfinite, note_stand_in
    from cnncli.render.document import plain
    from cnncli.render.gallery import save_panels
    from cnncli.render.maps import panels
    from cnncli.render.scale import Scale

    if npy and out is None:
        raise UsageError("--npy writes the arrays beside the pictures: give --out DIR too")
    chosen = Scale.parse(scale)
    note_stand_in(given, [view.subject.input])
    files = [] if out is None else save_panels(view, out, chosen, npy=npy)
    if json:
        show_json({**plain(view), "files": files})
    elif files:
        say(*(f"wrote {file}" for file in files))
    else:
        show(panels(view, chosen))
    fail_if_nonfinite(view.nonfinite)
