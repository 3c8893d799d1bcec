"""The command tree, in the order in which a user meets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

import cnncli
from cnncli.cli import backward, config, eval, forward, gradcheck, init, predict, summary, train, visualize

HELP = "Train a convolutional network from a YAML file on an ordinary CPU, and see every number that flows through it."
EPILOG = "Start with:  cnncli init fashion  and then  cnncli train --config fashion.yaml"

START, TRAIN, LOOK = "Start", "Train", "Look inside"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cnncli {cnncli.__version__}")
        raise typer.Exit


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    _help_without_command(context)


def _group(help: str) -> typer.Typer:
    group = typer.Typer(help=help)
    group.callback(invoke_without_command=True, help=help)(_help_without_command)
    return group


app = typer.Typer(pretty_exceptions_enable=False, context_settings={"help_option_names": ["--help", "-h"]})
app.callback(invoke_without_command=True, help=HELP, epilog=EPILOG)(_start)
app.command("init", rich_help_panel=START, epilog=init.EXAMPLES)(init.init)

configurations = _group(config.HELP)
configurations.command("show", epilog=config.SHOW_EXAMPLES)(config.show)
configurations.command("schema", epilog=config.SCHEMA_EXAMPLES)(config.schema)
app.add_typer(configurations, name="config", rich_help_panel=START)

app.command("summary", rich_help_panel=START, epilog=summary.EXAMPLES)(summary.summary)
app.command("train", rich_help_panel=TRAIN, epilog=train.EXAMPLES)(train.train)
app.command("eval", rich_help_panel=TRAIN, epilog=eval.EXAMPLES)(eval.evaluate)
app.command("predict", rich_help_panel=TRAIN, epilog=predict.EXAMPLES)(predict.predict)
app.command("forward", rich_help_panel=LOOK, epilog=forward.EXAMPLES)(forward.forward)
app.command("backward", rich_help_panel=LOOK, epilog=backward.EXAMPLES)(backward.backward)
app.command("gradcheck", rich_help_panel=LOOK, epilog=gradcheck.EXAMPLES)(gradcheck.gradcheck)

pictures = _group(visualize.HELP)
pictures.command("feature-maps", epilog=visualize.FEATURE_MAPS_EXAMPLES)(visualize.feature_maps)
pictures.command("filters", epilog=visualize.FILTERS_EXAMPLES)(visualize.filters)
pictures.command("gradients", epilog=visualize.GRADIENTS_EXAMPLES)(visualize.gradients)
pictures.command("curves", epilog=visualize.CURVES_EXAMPLES)(visualize.curves)
app.add_typer(pictures, name="visualize", rich_help_panel=LOOK)


def invoke(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code. Exceptions are let through, but for Ctrl-C, which is 130."""
    command = typer.main.get_command(app)
    return command.main(list(arguments), prog_name="cnncli", standalone_mode=False) or 0
