"""`cnncli summary`."""

from __future__ import annotations

import cnncli
from cnncli.cli.options import Json, NetworkOptions, examples


@examples("cnncli summary --config lenet5.yaml", "cnncli summary --config lenet5.yaml --set model.input=[1,32,32]")
def summary(network: NetworkOptions, json: Json = False) -> None:
    """Show each layer's shape, parameters, work and receptive field."""
    from cnncli.cli.output import show, show_json
    from cnncli.render.terminal.summary import summary as render

    view = cnncli.summary(network.load())
    if json:
        show_json(view)
    else:
        show(render(view))
