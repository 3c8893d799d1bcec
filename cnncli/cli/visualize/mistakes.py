"""The samples with the largest loss."""

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
    from cnncli.inspection.views.mistakes import MistakesView


@examples(
    "cnncli visualize mistakes --run runs/first",
    "cnncli visualize mistakes --run runs/first --split train --top 50 --out pictures",
)
def mistakes(
    network: NetworkOptions,
    result: ResultOptions,
    split: Split = None,
    samples: AllSamples = None,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="How many: the worst.", rich_help_panel=OUTPUT)
    ] = 12,
) -> None:
    """Draw the samples with the largest loss.

    With the true class, the predicted one and its probability.
    """
    from cnncli.cli.look import fail_if_nonfinite, note_random_weights
    from cnncli.render.terminal.mistakes import mistakes as draw

    result.check()
    session = network.load()
    with counting("samples") as progress:
        view = cnncli.mistakes(session, split=split, samples=samples, top=top, progress=progress)
    note_random_weights(session)
    result.present(view, lambda: draw(view), partial(_save, view))
    fail_if_nonfinite([f"the loss of {view.nonfinite:,} samples"] if view.nonfinite else [])


def _save(view: MistakesView, out: Path) -> list[Path]:
    from cnncli.render.png.mistakes import save_mistakes

    return save_mistakes(view, out)
