"""Units that are zero: the share of zeros in a layer, and channels or features that no sample moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from cnncli.render.terminal.fitted import Column
from cnncli.render.text import count, percent
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.views.flow import LayerRow

RANGES = 12
"""So many numbers or ranges of numbers are written out."""


def zeros(rows: Sequence[LayerRow]) -> Column:
    """The share of zeros."""
    shares = [row.statistics.zeros for row in rows]
    return Column("zeros", [Text("all", "yellow") if share == 1 else percent(share) for share in shares], right=True)


def dead_column(rows: Sequence[LayerRow]) -> list[Column]:
    """How many units are dead; no column where only one sample was looked at."""
    if not any(row.dead is not None for row in rows):
        return []
    cells = [Text(f"{len(row.dead)}/{row.shape[0]}", "yellow") if row.dead else "" for row in rows]
    return [Column("dead", cells, right=True)]


def dead_units(rows: Sequence[LayerRow], samples: int) -> Iterator[Text]:
    """Which units are dead, layer by layer, where they first are: what follows a dead unit often is dead too."""
    if samples == 1:
        return
    dead = {row.name: row.dead for row in rows}
    first = [row for row in rows if row.dead and not any(dead.get(name) for name in row.inputs)]
    for row in first:
        assert row.dead is not None
        noun = plural(row.shape[0], "channel" if len(row.shape) > 1 else "feature")
        verb = "is" if len(row.dead) == 1 else "are"
        which = "all" if len(row.dead) == row.shape[0] else short(row.dead)
        yield Text.assemble((row.name, "bold"), f": {count(len(row.dead))} of {noun} {verb} dead: {which}")
    if first:
        yield Text(f"dead: exactly 0 for all {plural(samples, 'sample')}", "dim")
    elif rows:
        yield Text(f"no channel or feature is dead, that is, exactly 0 for all {plural(samples, 'sample')}", "dim")


def short(units: Sequence[int]) -> str:
    """Ascending numbers, neighbours joined, not too many: 0, 3, 8-10 and 17 more."""
    ranges: list[tuple[int, int]] = []
    for unit in units:
        if ranges and unit == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], unit)
        else:
            ranges.append((unit, unit))
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in ranges[:RANGES]]
    more = sum(high - low + 1 for low, high in ranges[RANGES:])
    return ", ".join(texts) + (f" and {count(more)} more" if more else "")
