"""How the numbers of a network are distributed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import (
    Dtype,
    InputOptions,
    LayerNames,
    NetworkOptions,
    ObjectiveOptions,
    Split,
    examples,
)
from cnncli.cli.panels import INPUT, OUTPUT
from cnncli.cli.progress import counting
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views.histograms import HistogramsView


@examples(
    "cnncli visualize histograms --run runs/first",
    "cnncli visualize histograms --run runs/first --layer conv2 --of activations --of gradients --samples 500",
)
def histograms(
    network: NetworkOptions,
    shown: InputOptions,
    objective: ObjectiveOptions,
    result: ResultOptions,
    split: Split = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            min=1,
            metavar="N",
            help="So many, evenly spread over the split; by default 100.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    layer: LayerNames = None,
    of: Annotated[
        list[str] | None,
        typer.Option(
            "--of",
            metavar="WHAT",
            help="weights, activations or gradients; repeatable; by default all.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Draw the counts by powers of ten.", rich_help_panel=OUTPUT)
    ] = False,
    dtype: Dtype = "float32",
) -> None:
    """Draw how weights, activations and gradients are distributed."""
    from cnncli.api.histograms import SAMPLES
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights
    from cnncli.render.terminal.histograms import histograms as draw

    result.check()
    if shown.input_ and samples:
        raise UsageError("--samples counts samples of a split, and --input gives others; leave out one of them")
    session = network.load(dtype)
    with counting("samples") as progress:
        view = cnncli.histograms(
            session,
            of=of or [],
            input=shown.input_,
            split=split,
            samples=samples or SAMPLES,
            label=objective.label or [],
            target=objective.target,
            upstream=objective.upstream,
            layer=layer or [],
            train_mode=shown.train_mode,
            progress=progress,
        )
    note_random_weights(session)
    result.present(view, lambda: draw(view, log=log), partial(_save, view, log=log))
    fail_if_nonfinite(view.nonfinite)


def _save(view: HistogramsView, out: Path, *, log: bool) -> list[Path]:
    from cnncli.render.png.charts import save_charts

    return [save_charts(sheet, out / "histograms") for sheet in view.charts(log=log)]
