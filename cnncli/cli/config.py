"""`cnncli config`: what a configuration may say, and what one says with everything resolved."""

from __future__ import annotations

import typer

from cnncli.cli.options import Config, Json, Run, Set, examples


@examples("cnncli config show --config lenet5.yaml --set train.epochs=1")
def show(config: Config = None, run: Run = None, set_: Set = None, json: Json = False) -> None:
    """Print a configuration as YAML with every name, input and default written out."""
    from cnncli.api.configuration import show_config
    from cnncli.cli.output import show_json
    from cnncli.config.dump import to_text

    resolved = show_config(config, run=run, set=set_ or [])
    if json:
        show_json(resolved)
    else:
        typer.echo(to_text(resolved), nl=False)


@examples("cnncli config schema > cnncli.schema.json")
def schema() -> None:
    """Print the JSON Schema of configurations, for an editor to complete and check them."""
    from cnncli.api.configuration import config_schema
    from cnncli.cli.output import show_json

    show_json(config_schema())
