"""`cnncli sanity`."""

from __future__ import annotations

import typer

import cnncli
from cnncli.cli.failures import FAILED
from cnncli.cli.options import Config, Json, Set, Workers, examples


@examples(
    "cnncli sanity --config lenet5.yaml",
    "cnncli sanity --config lenet5.yaml --set optimizer.lr=0.1 --json",
)
def sanity(config: Config = None, set_: Set = None, json: Json = False, workers: Workers = None) -> None:
    """Prove on this network and this data that training works.

    Exit code 0: all is well; 1: a check failed.
    """
    from cnncli.cli.output import show, show_json
    from cnncli.cli.progress import naming
    from cnncli.render.terminal.training_checks import training_checks

    with naming() as progress:
        result = cnncli.sanity(config, set=set_ or [], workers=workers, progress=progress)
    if json:
        show_json(result)
    else:
        show(training_checks(result))
    raise typer.Exit(FAILED if result.verdict == "FAIL" else 0)
