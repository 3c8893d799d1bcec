"""`cnncli visualize`: pictures of what is inside a network, in the terminal or as PNG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.look import fail_if_nonfinite, note_random_weights, note_stand_in
from cnncli.cli.options import (
    OUTPUT,
    Checkpoint,
    Config,
    Dtype,
    Input,
    Json,
    Label,
    LayerNames,
    Pictures,
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
    from rich.console import RenderableType

    from cnncli.inspection.views import PanelsView, Pick
    from cnncli.render.scale import Scale


IN_TERMINAL, IN_FILES = 12, 64
"""How many channels of a layer are drawn, unless it is said."""

Channels = Annotated[
    str | None, typer.Option("--channels", metavar="LIST", help="Which channels, as 0,3,8-10.", rich_help_panel=OUTPUT)
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        min=1,
        metavar="K",
        help=f"How many channels: the strongest; by default {IN_TERMINAL}, with --out {IN_FILES}.",
        rich_help_panel=OUTPUT,
    ),
]
All = Annotated[bool, typer.Option("--all", help="All channels, in their order.", rich_help_panel=OUTPUT)]
ScaleText = Annotated[
    str,
    typer.Option(
        "--scale", metavar="MODE", help="One colour scale a layer, map or net, or fixed:LO,HI.", rich_help_panel=OUTPUT
    ),
]
Npy = Annotated[
    bool, typer.Option("--npy", help="With --out: write the raw array beside each picture.", rich_help_panel=OUTPUT)
]


@examples(
    "cnncli visualize feature-maps --run runs/first --input boot.png",
    "cnncli visualize feature-maps --run runs/first --input boot.png --layer conv1 --top 16 --out pictures",
)
def feature_maps(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    input_: Input = None,
    train_mode: TrainMode = False,
    layer: LayerNames = None,
    channels: Channels = None,
    top: Top = None,
    every: All = False,
    scale: ScaleText = "layer",
    out: Pictures = None,
    npy: Npy = False,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Draw what each layer makes of an image."""
    drawing = _Drawing.of(scale, out, npy=npy, json=json)
    session = cnncli.load(**network(config, run, checkpoint, set_, workers, dtype))
    view = cnncli.feature_maps(
        session,
        input=input_,
        pick=_pick(layer, channels, top, every, out),
        train_mode=train_mode,
    )
    note_random_weights(session)
    note_stand_in(input_, [view.subject.input])
    drawing.present(view)


@examples("cnncli visualize filters --run runs/first --layer conv1")
def filters(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    layer: LayerNames = None,
    channels: Channels = None,
    top: Top = None,
    every: All = False,
    scale: ScaleText = "layer",
    out: Pictures = None,
    npy: Npy = False,
    json: Json = False,
    workers: Workers = None,
) -> None:
    """Draw the weights."""
    drawing = _Drawing.of(scale, out, npy=npy, json=json)
    pick = _pick(layer, channels, top, every, out)
    session = cnncli.load(**network(config, run, checkpoint, set_, workers))
    view = cnncli.filters(session, pick=pick)
    note_random_weights(session)
    drawing.present(view)


@examples("cnncli visualize gradients --run runs/first --input test:17 --target 9 --out pictures")
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
    top: Top = None,
    every: All = False,
    scale: ScaleText = "layer",
    out: Pictures = None,
    npy: Npy = False,
    json: Json = False,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Draw the gradient of each layer's output and of the weights."""
    drawing = _Drawing.of(scale, out, npy=npy, json=json)
    session = cnncli.load(**network(config, run, checkpoint, set_, workers, dtype))
    view = cnncli.gradients(
        session,
        input=input_,
        label=label or [],
        target=target,
        upstream=upstream,
        pick=_pick(layer, channels, top, every, out),
        train_mode=train_mode,
    )
    note_random_weights(session)
    note_stand_in(input_, [view.subject.input])
    drawing.present(view)


@examples("cnncli visualize curves --run runs/first")
def curves(run: Run = None, out: Pictures = None, json: Json = False) -> None:
    """Draw how the loss and the metrics of a training went."""
    from cnncli.render.curves import curves as render

    if run is None:
        raise UsageError("which run? give --run DIR")
    view = cnncli.curves(run)
    files = []
    if out is not None:
        from cnncli.render.gallery import save_curves

        files = [save_curves(view, out)]
    _present(view, files, lambda: render(view), json=json)


def _pick(layer: list[str] | None, channels: str | None, top: int | None, every: bool, out: Path | None) -> Pick:
    """The layers and channels that the options choose."""
    from cnncli.inspection.views import Pick, parse_channels

    if (channels is not None) + (top is not None) + every > 1:
        raise UsageError("--channels, --top and --all each say which channels; give one of them")
    default = IN_TERMINAL if out is None else IN_FILES
    chosen = () if channels is None else parse_channels(channels)
    return Pick(tuple(layer or ()), chosen, None if every else top or default)


@dataclass(frozen=True)
class _Drawing:
    """How panels are shown. It is made before the network is run, so that a mistake in an option costs no time."""

    scale: Scale
    out: Path | None
    npy: bool
    json: bool

    @classmethod
    def of(cls, scale: str, out: Path | None, *, npy: bool, json: bool) -> _Drawing:
        """From the options. Raises UsageError."""
        from cnncli.render.scale import Scale

        if npy and out is None:
            raise UsageError("--npy writes the arrays beside the pictures: give --out DIR too")
        return cls(Scale.parse(scale), out, npy, json)

    def present(self, view: PanelsView) -> None:
        from cnncli.render.maps import panels

        files = []
        if self.out is not None:
            from cnncli.render.gallery import save_panels

            files = save_panels(view, self.out, self.scale, npy=self.npy)
        _present(view, files, lambda: panels(view, self.scale), json=self.json)
        fail_if_nonfinite(view.nonfinite)


def _present(view: object, files: Sequence[Path], draw: Callable[[], RenderableType], *, json: bool) -> None:
    """As JSON; or the names of the files, where any were written; or in the terminal."""
    from cnncli.cli.output import say, show, show_json
    from cnncli.render.document import plain

    if json:
        show_json({**plain(view), "files": files})
    elif files:
        say(*(f"wrote {file}" for file in files))
    else:
        show(draw())
