"""`cnncli data show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import cnncli
from cnncli.cli.data.source import DataOptions
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import examples
from cnncli.cli.panels import INPUT

if TYPE_CHECKING:
    from cnncli.inspection.views.contact_sheet import ContactSheet


@examples(
    "cnncli data show --config lenet5.yaml",
    "cnncli data show --config lenet5.yaml --set 'data.augment=[{type: crop, padding: 4}]' --out pictures",
    "cnncli data show --run runs/first --split test --samples 40",
)
def show(
    data: DataOptions,
    result: ResultOptions,
    split: Annotated[
        Literal["train", "val", "test"],
        typer.Option("--split", help="Which samples; only those of train are augmented.", rich_help_panel=INPUT),
    ] = "train",
    samples: Annotated[int, typer.Option("--samples", min=1, metavar="N", help="How many.", rich_help_panel=INPUT)] = 8,
    epoch: Annotated[
        int,
        typer.Option(
            "--epoch",
            min=1,
            metavar="E",
            help="Of train: the samples that this epoch begins with.",
            rich_help_panel=INPUT,
        ),
    ] = 1,
    versions: Annotated[
        int,
        typer.Option(
            "--versions",
            min=0,
            metavar="K",
            help="Each sample as augmented in so many epochs, from E on, beside what it was.",
            rich_help_panel=INPUT,
        ),
    ] = 3,
) -> None:
    """Draw samples as the network gets them, augmented and with their labels.

    They are the very batches of a training with this seed, with the normalisation undone.
    """
    result.check()
    view = cnncli.contact_sheet(data.load(), split=split, samples=samples, epoch=epoch, versions=versions)
    from cnncli.render.terminal.board import board as draw

    result.present(view, lambda: draw(view.board()), lambda out: _save(view, out))


def _save(view: ContactSheet, out: Path) -> list[Path]:
    from cnncli.render.png.gallery import save_board

    return save_board(view.board(), out)
