"""`cnncli init`: starter configurations."""

from __future__ import annotations

from typing import Annotated

import typer

from cnncli.cli.options import Json, examples
from cnncli.errors import UsageError


@examples("cnncli init", "cnncli init lenet5", "cnncli init --all --force")
def init(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which to write here.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Write all of them.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    json: Json = False,
) -> None:
    """List the starter networks, or write some of them here."""
    from cnncli.api.starters import starters, write_starters
    from cnncli.cli.output import note, say, show_json

    if every and names:
        raise UsageError("--all writes every network already; leave out the names, or --all")
    if not every and not names:
        found = starters()
        if json:
            show_json([{"name": starter.name, "description": starter.description} for starter in found])
            return
        width = max(len(starter.name) for starter in found)
        say(*(f"{starter.name:{width}}  {starter.description}" for starter in found))
        note("", "write one here:  cnncli init NAME")
        return
    written = write_starters([starter.name for starter in starters()] if every else names or [], force=force)
    if json:
        show_json({"written": written})
        return
    say(*(f"wrote {path}" for path in written))
    note("", f"try it:  cnncli summary --config {written[0]}")
