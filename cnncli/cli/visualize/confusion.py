"""Which classes are taken for which."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import AllSamples, NetworkOptions, Split, examples
from cnncli.cli.panels import OUTPUT
from cnncli.cli.progress import counting

if TYPE_CHECKING:
    from cnncli.inspection.views.confusion import ConfusionView


@examples(
    "cnncli visualize confusion --run runs/first",
    "cnncli visualize confusion --run runs/first --split train --out pictures",
)
def confusion(
    network: NetworkOptions,
    result: ResultOptions,
    split: Split = None,
    samples: AllSamples = None,
    top: Annotated[
        int,
        typer.Option("--top", min=0, metavar="K", help="How many of the most confused pairs.", rich_help_panel=OUTPUT),
    ] = 10,
) -> None:
    """Draw which classes are taken for which.

    With precision, recall and F1 of each class, and the most confused pairs.
    """
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights
    from cnncli.render.terminal.confusion import confusion as draw

    result.check()
    session = network.load()
    with counting("samples") as progress:
        view = cnncli.confusion(session, split=split, samples=samples, top=top, progress=progress)
    note_random_weights(session)
    result.present(view, lambda: draw(view), partial(_save, view))
    fail_if_nonfinite([f"the output for {view.nonfinite:,} samples"] if view.nonfinite else [])


def _save(view: ConfusionView, out: Path) -> list[Path]:
    from cnncli.render.png.confusion import save_confusion

    return [save_confusion(view, out)]
