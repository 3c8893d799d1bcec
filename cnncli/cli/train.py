"""`cnncli train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

import cnncli
from cnncli.cli.failures import INTERRUPTED
from cnncli.cli.options import Checkpoint, Config, Json, Set, Workers, examples
from cnncli.cli.panels import COMPUTING, INPUT, OUTPUT

if TYPE_CHECKING:
    from cnncli.training.result import TrainResult


@examples(
    "cnncli train --config fashion.yaml",
    "cnncli train --config lenet5.yaml --set train.epochs=10 --set optimizer.lr=3e-4 --out runs/first",
    "cnncli train --config lenet5.yaml --dry-run",
    "cnncli train --resume runs/first",
    "cnncli train --resume runs/first --set train.epochs=20 --out runs/longer",
)
def train(
    config: Config = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Go on with the training of a run directory as if it had never stopped;"
            " with --set or --out a new run goes on from there.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Check everything, estimate time and memory, train nothing.", rich_help_panel=COMPUTING
        ),
    ] = False,
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
    dtype: Annotated[
        Literal["float32", "float64"] | None,
        typer.Option("--dtype", help="Precision; by default float32, or that of the run.", rich_help_panel=COMPUTING),
    ] = None,
) -> None:
    """Train a network, watching it learn, and keep its best weights."""
    from cnncli.cli.look import require_finite
    from cnncli.cli.output import note, say, show_json
    from cnncli.cli.progress import progress
    from cnncli.cli.runs.picture import leaving_curves

    given: dict[str, Any] = {
        "config": config,
        "resume": resume,
        "out": out,
        "seed": seed,
        "checkpoint": checkpoint,
        "set": set_ or [],
        "workers": workers,
        "dtype": dtype,
    }
    if dry_run:
        from cnncli.cli.dry_run import show

        show(cnncli.dry_run(**given), json=json)
        return
    with progress(quiet=quiet) as shown, leaving_curves(shown) as listener:
        result = cnncli.train(**given, listener=listener)
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
            note(f"interrupted after {result.epochs} epochs; what there is, is in {result.run}")
        if not json:
            note(f"go on with:  cnncli train --resume {result.run}")
        raise typer.Exit(INTERRUPTED)


def _document(result: TrainResult) -> dict[str, Any]:
    return {
        "run": result.run,
        "epochs": result.epochs,
        "best": result.best,
        "test": result.test,
        "interrupted": result.interrupted,
        "stopped_early": result.stopped_early,
        "seconds": result.seconds,
        "images_per_second": result.images_per_second,
    }


def _lines(result: TrainResult) -> list[str]:
    """What it came to."""
    from cnncli.training.progress import scores_text

    lines = []
    if result.best is not None:
        best = result.best
        record = next(each for each in result.history if each.step == best.step)
        scores = record.train if record.val is None else record.val
        lines.append(f"best  {best.split} {scores_text(scores)}  (epoch {best.epoch})")
    if result.test is not None:
        lines.append(f"test  {scores_text(result.test)}  ({result.test.samples:,} samples)")
    lines.append(f"time  {result.seconds:.1f} s, {result.images_per_second:,.0f} img/s in training")
    return [*lines, f"run   {result.run}"]
