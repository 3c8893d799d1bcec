"""How a layer spreads the samples."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.drawing import Npy, ResultOptions
from cnncli.cli.options import Input, NetworkOptions, SomeSamples, Split, examples
from cnncli.cli.panels import OUTPUT
from cnncli.cli.progress import counting
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views.embedding import EmbeddingView


@examples(
    "cnncli visualize embedding --run runs/first",
    "cnncli visualize embedding --run runs/first --layer conv2 --samples 3000 --split train --out pictures --npy",
)
def embedding(
    network: NetworkOptions,
    result: ResultOptions,
    input_: Input = None,
    split: Split = None,
    samples: SomeSamples = 1000,
    layer: Annotated[
        str | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="NAME",
            help="Whose output; by default what the last layer with weights reads.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    npy: Npy = False,
) -> None:
    """Draw how a layer spreads the samples.

    Its output in the plane in which it varies most: the first two principal components.
    """
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights
    from cnncli.cli.output import note
    from cnncli.render.terminal.charts import charts

    result.check()
    if npy and result.out is None:
        raise UsageError("--npy writes the coordinates beside the picture: give --out DIR too")
    session = network.load()
    with counting("samples") as progress:
        view = cnncli.embedding(session, input=input_, split=split, samples=samples, layer=layer, progress=progress)
    note_random_weights(session)
    if layer is None:
        note(f"no --layer is given: this is {view.layer}")
    result.present(view, lambda: charts(view.charts), partial(_save, view, npy=npy))
    fail_if_nonfinite([f"{view.layer} for {view.nonfinite:,} samples"] if view.nonfinite else [])


def _save(view: EmbeddingView, out: Path, *, npy: bool) -> list[Path]:
    from cnncli.render.png.embedding import save_embedding

    return save_embedding(view, out, npy=npy)
