"""`cnncli find-lr`."""

from __future__ import annotations

from typing import Annotated

import typer

import cnncli
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import NetworkOptions, examples
from cnncli.cli.panels import COMPUTING
from cnncli.cli.progress import counting


@examples(
    "cnncli find-lr --config lenet5.yaml",
    "cnncli find-lr --config lenet5.yaml --from 1e-5 --to 1 --steps 200 --out pictures",
    "cnncli find-lr --config lenet5.yaml --set optimizer=sgd --json",
)
def find_lr(
    network: NetworkOptions,
    result: ResultOptions,
    low: Annotated[
        float, typer.Option("--from", metavar="RATE", help="The first learning rate.", rich_help_panel=COMPUTING)
    ] = 1e-7,
    high: Annotated[
        float, typer.Option("--to", metavar="RATE", help="The last learning rate.", rich_help_panel=COMPUTING)
    ] = 10.0,
    steps: Annotated[
        int,
        typer.Option("--steps", min=10, metavar="N", help="Updates, one for each rate.", rich_help_panel=COMPUTING),
    ] = 100,
) -> None:
    """Find a learning rate: raise it step by step and watch the loss.

    The network is trained as configured, on a copy, but the rate rises with every update until the loss explodes.
    Nothing is written but the picture. Suggested is the rate at which half of the loss's fall is done, and at most
    a tenth of that at which it is least.
    """
    from cnncli.cli.output import say
    from cnncli.render.document import plain
    from cnncli.render.png.charts import save_charts
    from cnncli.render.terminal.charts import charts

    result.check()
    session = network.load()
    with counting("rates") as progress:
        found = cnncli.find_lr(session, low=low, high=high, steps=steps, progress=progress)
    view = found.charts()
    result.present(
        {**plain(found), "suggestion": found.curve.suggestion},
        lambda: charts(view),
        lambda out: [save_charts(view, out / view.view)],
    )
    if result.out is not None and not result.json:
        say(*found.notes)
