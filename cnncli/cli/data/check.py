"""`cnncli data check`."""

from __future__ import annotations

import typer

import cnncli
from cnncli.cli.data.source import DataOptions
from cnncli.cli.options import Json, examples


@examples(
    "cnncli data check --config lenet5.yaml",
    "cnncli data check --config lenet5.yaml --set 'data={source: folder, path: photos}' --json",
)
def check(data: DataOptions, json: Json = False) -> None:
    """Read every sample and tell what is wrong with the data.

    Files that cannot be read, NaN and infinity, targets that the network
    cannot learn, the same sample in two splits or with two targets: these are
    wrong, and end with exit code 1. Of duplicates, blank samples, unequal
    classes and the like there is a warning.
    """
    from cnncli.cli.failures import FAILED
    from cnncli.cli.output import show, show_json
    from cnncli.cli.progress import counting

    session = data.load()
    with counting("samples") as progress:
        view = cnncli.check_data(session, progress=progress)
    if json:
        show_json(view)
    else:
        from cnncli.render.terminal.data_check import data_check

        show(data_check(view))
    if view.verdict == "wrong":
        raise typer.Exit(FAILED)
