"""`cnncli runs compare`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cnncli
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import examples
from cnncli.cli.panels import INPUT

if TYPE_CHECKING:
    from cnncli.inspection.views.compare import Comparison


@examples("cnncli runs compare runs/first runs/second", "cnncli runs compare runs/a runs/b runs/c --out pictures")
def compare(
    result: ResultOptions,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN RUN...", help="The run directories.", show_default=False, rich_help_panel=INPUT),
    ] = None,
) -> None:
    """Show runs side by side: configuration, results and curves."""
    from cnncli.render.terminal.compare import compare as draw

    result.check()
    view = cnncli.compare(runs or [])
    result.present(view, lambda: draw(view), partial(_save, view))


def _save(view: Comparison, out: Path) -> list[Path]:
    from cnncli.errors import UsageError
    from cnncli.render.png.charts import save_charts

    if not view.curves.charts:
        raise UsageError("none of these runs has a number to draw yet; leave out --out")
    return [save_charts(view.curves, out)]
