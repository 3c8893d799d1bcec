"""`cnncli train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import cnncli
from cnncli.cli.failures import INTERRUPTED
from cnncli.cli.options import Checkpoint, Config, Dtype, Json, Set, Workers, examples
from cnncli.cli.panels import COMPUTING, OUTPUT
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.training.result import TrainResult


@examples(
    "cnncli train --config fashion.yaml",
    "cnncli train --config lenet5.yaml --set train.epochs=10 --set optimizer.lr=3e-4 --out runs/first",
)
def train(
    config: Config = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="The run directory; by default runs/NAME-TIME.", rich_help_panel=OUTPUT
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.", rich_help_panel=OUTPUT)] = False,
    json: Json = False,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, metavar="N", help="Start of all random numbers.", rich_help_panel=COMPUTING),
    ] = None,
    workers: Workers = None,
    dtype: Dtype = "float32",
) -> None:
    """Train a network, watching it learn, and keep its best weights."""
    from cnncli.cli.look import require_finite
    from cnncli.cli.output import note, say, show_json
    from cnncli.cli.progress import progress

    if config is None:
        raise UsageError("which network? give --config FILE ('cnncli init' has examples)")
    with progress(quiet=quiet) as listener:
        result = cnncli.train(
            config,
            out=out,
            seed=seed,
            checkpoint=checkpoint,
            set=set_ or [],
            workers=workers,
            dtype=dtype,
            listener=listener,
        )
    if json:
        show_json(_document(result))
    else:
        say(*_lines(result))
        if not quiet and result.best is not None:
            note(
                "",
                f"look at it:  cnncli forward --run {result.run}",
                f"use it:      cnncli predict --run {result.run} IMAGE",
            )
    if result.test is not None:
        require_finite(result.test.loss)
    if result.interrupted:
        if quiet:  # else the progress has said so
            note(f"interrupted after {len(result.history)} epochs; what there is, is in {result.run}")
        raise typer.Exit(INTERRUPTED)


def _document(result: TrainResult) -> dict[str, Any]:
    return {
        "run": result.run,
        "epochs": len(result.history),
        "best": result.best,
        "test": result.test,
        "interrupted": result.interrupted,
        "seconds": result.seconds,
        "images_per_second": result.images_per_second,
    }


def _lines(result: TrainResult) -> list[str]:
    """What it came to."""
    from cnncli.training.progress import scores_text

    lines = []
    if result.best is not None:
        best = result.history[result.best.epoch - 1]
        lines.append(
            f"best  {result.best.split} {scores_text(best.judged)}  (epoch {best.epoch} of {len(result.history)})"
        )
    if result.test is not None:
        lines.append(f"test  {scores_text(result.test)}  ({result.test.samples:,} samples)")
    lines.append(f"time  {result.seconds:.1f} s, {result.images_per_second:,.0f} img/s in training")
    return [*lines, f"run   {result.run}"]
