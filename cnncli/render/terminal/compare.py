"""Runs side by side: a column for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cnncli.render.terminal.charts import charts
from cnncli.render.terminal.runs import NOTHING, duration_text, epochs_text, parameters_text, score_text
from cnncli.render.text import count
from cnncli.wording import printable

if TYPE_CHECKING:
    from cnncli.inspection.views.compare import Comparison
    from cnncli.inspection.views.runs import RunRow

RESULTS: dict[str, Callable[[RunRow], str]] = {
    "state": lambda row: row.state,
    "epochs": epochs_text,
    "best": lambda row: score_text(row.best),
    "in epoch": lambda row: NOTHING if row.best_epoch is None else count(row.best_epoch),
    "test": lambda row: score_text(row.test),
    "parameters": parameters_text,
    "time": duration_text,
}


def compare(view: Comparison) -> RenderableType:
    """What differs in the configurations, the results, the curves."""
    results = [(name, [text(row) for row in view.runs]) for name, text in RESULTS.items()]
    settings = [(each.key, [value_text(value) for value in each.values]) for each in view.differences]
    configuration = _table("configuration", view.labels, settings) if settings else Text("the same configuration")
    parts: list[RenderableType] = [configuration, Text(), _table("results", view.labels, results), Text()]
    return Group(*parts, charts(view.curves))


def _table(title: str, labels: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> Table:
    """Unlike most of our tables it breaks what is too long for its column: each run keeps its own."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(title, overflow="fold")
    for label in labels:
        table.add_column(printable(label), overflow="fold")
    for name, cells in rows:
        table.add_row(Text(printable(name)), *map(Text, cells))
    return table


def value_text(value: Any) -> str:
    """As YAML has it in one line; - for what is not set."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {value_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return printable(value)
