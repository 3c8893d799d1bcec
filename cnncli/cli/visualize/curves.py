"""How a training went."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cnncli
from cnncli.cli.drawing import ResultOptions
from cnncli.cli.options import Run, examples
from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.inspection.views.charts import Charts


@examples("cnncli visualize curves --run runs/first", "cnncli visualize curves --run runs/first --out pictures")
def curves(result: ResultOptions, run: Run = None) -> None:
    """Draw how the loss and the metrics of a training went."""
    from cnncli.render.terminal.charts import charts

    result.check()
    if run is None:
        raise UsageError("which run? give --run DIR")
    view = cnncli.curves(run)
    result.present(view, lambda: charts(view), partial(_save, view))


def _save(view: Charts, out: Path) -> list[Path]:
    from cnncli.render.png.charts import save_charts

    return [save_charts(view, out / view.view)]
