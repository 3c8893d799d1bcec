"""`cnncli bench`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

import cnncli
from cnncli.cli.options import Dtype, Json, NetworkOptions, examples
from cnncli.cli.panels import COMPUTING, INPUT, OUTPUT


@examples(
    "cnncli bench --config lenet5.yaml",
    "cnncli bench --config lenet5.yaml --batch-size 32 --batch-size 128 --workers 1",
    "cnncli bench --config lenet5.yaml --layers",
)
def bench(
    network: NetworkOptions,
    batch_size: Annotated[
        list[int] | None,
        typer.Option(
            "--batch-size",
            "-b",
            min=1,
            metavar="N",
            help="Samples in a step; by default train.batch_size; repeatable.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Show what each layer takes of a training step.", rich_help_panel=OUTPUT)
    ] = False,
    json: Json = False,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            metavar="N",
            help="Steps to time; by default as many as 2 seconds hold, at least 5.",
            rich_help_panel=COMPUTING,
        ),
    ] = None,
    dtype: Dtype = "float32",
) -> None:
    """Measure the speed of training and of inference, and the memory.

    On random numbers: no data is needed. Only ratios within one run on a quiet machine mean something.
    With several batch sizes --json prints a list.
    """
    from cnncli.cli.output import show, show_json
    from cnncli.render.terminal import bench as tables

    session = network.load(dtype)
    # From the smallest on, because the peak of a process's memory never falls again.
    sizes = sorted(set(batch_size or [session.experiment.train.batch_size]))
    with _progress() as progress:
        results = [
            cnncli.bench(session, batch_size=size, steps=steps, layers=layers, progress=progress) for size in sizes
        ]
    if json:
        show_json(results if len(results) > 1 else results[0])
    else:
        show(tables.bench(results))


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A callback: in a terminal a line that says what is measured, in a pipe nothing."""
    from rich.progress import Progress, TextColumn

    from cnncli.cli.output import console

    # It is drawn when there is something new and not all the time, since that would disturb what is measured.
    visible = sys.stderr.isatty()
    columns = TextColumn("measuring {task.description}")
    with Progress(
        columns, console=console(stderr=True), transient=True, auto_refresh=False, disable=not visible
    ) as bar:
        task = bar.add_task("", visible=False)
        yield lambda what: bar.update(task, description=what, visible=True, refresh=True)
