"""The loss over the learning rate, as a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnncli.inspection.views.charts import Chart, Charts, Series


def find_lr_view(
    name: str,
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    uprights: Sequence[tuple[float, str]] = (),
    notes: Sequence[str] = (),
) -> Charts:
    """Losses and their moving average over the rates' powers of ten; `uprights` are rates with what they mean."""
    powers = tuple(map(math.log10, rates))
    chart = Chart(
        "loss by learning rate",
        (Series("batch", powers, tuple(losses)), Series("smoothed", powers, tuple(smoothed))),
        x_name="log10 of the learning rate",
        log_y=all(loss > 0 for loss in losses),  # so that the explosion does not flatten what comes before
        uprights=tuple((round(math.log10(rate), 2), f"{text} {rate:.2g}, at") for rate, text in uprights),
    )
    return Charts("find-lr", name, (chart,), tuple(notes))
