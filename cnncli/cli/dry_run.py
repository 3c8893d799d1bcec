"""`cnncli train --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnncli.inspection.dry_run import DryRun


def show(result: DryRun, *, json: bool = False) -> None:
    """As a table, or as one JSON document."""
    from cnncli.cli.output import show as show_table
    from cnncli.cli.output import show_json
    from cnncli.render.terminal import dry_run

    if json:
        show_json(result)
    else:
        show_table(dry_run.dry_run(result))
