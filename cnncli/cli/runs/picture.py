"""The picture that a training leaves in its run directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cnncli
from cnncli.errors import CnncliError, OutputError, UsageError
from cnncli.training.progress import Listener, Listeners, Plan
from cnncli.training.run_directory import RunDirectory


@contextmanager
def leaving_curves(listener: Listener) -> Iterator[Listener]:
    """For a training that is told of by what this gives: however it ends, its directory gets the picture."""
    place = _Place()
    try:
        yield Listeners(place, listener)
    except CnncliError as error:
        with suppress(CnncliError):  # which must not hide the other
            write_curves(place.run)
        if isinstance(error, OutputError) and place.run is not None:
            raise OutputError(f"{error}, then go on with: cnncli train --resume {place.run}") from None
        raise
    write_curves(place.run)


class _Place(Listener):
    """Remembers where a training is kept."""

    run: Path | None = None

    def started(self, plan: Plan) -> None:
        self.run = plan.run


def write_curves(run: Path | None) -> None:
    """Writes `run/curves.png`; nothing while there is nothing to draw. Raises CheckpointError, OutputError."""
    from cnncli.render.png.charts import save_charts

    if run is None or not RunDirectory(run).metrics.exists():
        return
    with suppress(UsageError):  # no finite number
        save_charts(cnncli.curves(run), run)
