"""`cnncli summary`."""

from __future__ import annotations

import cnncli
from cnncli.cli.options import Checkpoint, Config, Json, Run, Set, Workers, examples, network


@examples("cnncli summary --config lenet5.yaml", "cnncli summary --config lenet5.yaml --set model.input=[1,32,32]")
def summary(
    config: Config = None,
    run: Run = None,
    checkpoint: Checkpoint = None,
    set_: Set = None,
    json: Json = False,
    workers: Workers = None,
) -> None:
    """Show each layer's shape, parameters, work and receptive field."""
    from cnncli.cli.output import show, show_json
    from cnncli.render import tables

    view = cnncli.summary(**network(config, run, checkpoint, set_, workers))
    if json:
        show_json(view)
    else:
        show(tables.summary(view))
