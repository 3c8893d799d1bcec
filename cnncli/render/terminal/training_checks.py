"""What the checks of a training found, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cnncli.render.terminal.fitted import GAP

if TYPE_CHECKING:
    from cnncli.inspection.sanity import Sanity

SYMBOLS = {"PASS": "✓", "FAIL": "✗", "SKIP": "-"}
STYLES = {"PASS": "green", "FAIL": "bold red", "SKIP": "yellow"}


def training_checks(result: Sanity) -> RenderableType:
    """A row for each check; below what failed or was skipped the likely fix or the reason; then the verdict."""
    return _Checks(result)


@dataclass(frozen=True)
class _Checks:
    result: Sanity

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = options.ascii_only
        rows = self.result.checks
        table = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold"
        )
        table.add_column("", no_wrap=True)
        table.add_column("check", no_wrap=True)
        table.add_column("measured", ratio=1)
        table.add_column("expected", ratio=1)
        for row in rows:
            table.add_row(_verdict(row.verdict, plain=plain), Text(row.check), Text(row.measured), Text(row.expected))
        yield table
        yield Text()
        for row in rows:
            if row.fix:
                yield Text.assemble((row.check, "bold"), f": {row.fix}")
        counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in SYMBOLS}
        said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        yield Text.assemble(
            _verdict(self.result.verdict, plain=plain), "   ", (f"{said}, {self.result.seconds:.0f} s", "dim")
        )


def _verdict(verdict: str, *, plain: bool) -> Text:
    return Text(verdict if plain else f"{SYMBOLS[verdict]} {verdict}", STYLES[verdict])
