"""What a gradient check found: a row for each tensor, what may be wrong, and where it sits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from cnncli.render.terminal.board import board
from cnncli.render.terminal.fitted import GAP, Column, Fitted
from cnncli.render.text import count, number
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.gradcheck import GradcheckReport, SelfTestReport, TensorCheck, Verdict
    from cnncli.inspection.views.board import Board

SYMBOLS = {"PASS": "✓", "FAIL": "✗", "KINK": "~", "UNCHECKED": "?"}
STYLES = {"PASS": "green", "FAIL": "bold red"}
DOUBTFUL = "yellow"
NAMED = 4
"""So many tensors are listed that a hint is about."""
TITLES = ("planted error", "in")
LEVELS = {
    "layer": "each layer alone: on its inputs in the network, with a random upstream gradient",
    "network": "the whole network: its loss",
}


def gradcheck(report: GradcheckReport, maps: Board | None = None) -> RenderableType:
    """A row for each tensor, the layers alone first; the hints; maps of the errors; how many tensors had which
    verdict."""
    return _Gradcheck(report, maps)


@dataclass(frozen=True)
class _Gradcheck:
    report: GradcheckReport
    maps: Board | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = options.ascii_only
        for level, title in LEVELS.items():
            rows = [row for row in self.report.tensors if row.level == level]
            if rows:
                yield Text(title, "bold")
                yield _checks(rows, plain=plain)
                yield from _hints(rows)
                yield Text()
        if self.maps is not None and self.maps.sheets:
            yield board(self.maps)
        if self.report.jittered:
            names = ", ".join(self.report.jittered)
            yield Text(f"all 0, so checked at small random numbers instead: {names}", "dim")
        counts = Counter(row.verdict for row in self.report.tensors)
        yield Text.assemble(_verdict(self.report.verdict, plain=plain), "   ", (_counts(counts), "dim"))


def _checks(rows: Sequence[TensorCheck], *, plain: bool) -> Fitted:
    """Of directions and elements that could not be decided, only where there are any."""
    undecided = (("kinks", [str(row.kinks) for row in rows]), ("unchecked", [str(row.unchecked) for row in rows]))
    return Fitted(
        [
            Column("tensor", [row.name for row in rows]),
            Column("verdict", [_verdict(row.verdict, plain=plain) for row in rows]),
            Column("error", [_error(row.relative_error) for row in rows], right=True),
            Column("checked", [str(row.checked) for row in rows], right=True, drop=4),
            *(Column(name, texts, right=True, drop=1) for name, texts in undecided if set(texts) != {"0"}),
            Column("worst at", [_index(row.index) for row in rows], drop=3),
            Column("analytic", [number(row.analytic) for row in rows], right=True, drop=2),
            Column("numeric", [number(row.numeric) for row in rows], right=True, drop=2),
        ]
    )


def _hints(rows: Sequence[TensorCheck]) -> Iterator[Text]:
    """Each once, with the names of all tensors that it is about."""
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.hint:
            names.setdefault(row.hint, []).append(row.name)
    for hint, about in names.items():
        rest = len(about) - NAMED
        listed = ", ".join(about[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
        yield Text.assemble((listed, "bold"), f": {hint}")


def self_test(report: SelfTestReport) -> RenderableType:
    """A row for each planted error with what was said of it below, and what came of them."""
    return _SelfTest(report)


@dataclass(frozen=True)
class _SelfTest:
    report: SelfTestReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = self.report.attempts
        widths = [max(map(len, texts)) for texts in zip(TITLES, *((row.error, row.name) for row in rows), strict=False)]
        yield Text("  ".join([*_padded(TITLES, widths), "verdict", "  error"]), "bold")
        for row in rows:
            names, error = "  ".join(_padded((row.error, row.name), widths)), _error(row.relative_error)
            style = "green" if row.caught else STYLES["FAIL"]
            yield Text.assemble(names, "  ", (f"{row.verdict:7}", style), f"  {error:>7}")
            for line in Text(row.hint or "nothing was said", "dim").wrap(console, options.max_width - GAP):
                yield Text.assemble(" " * GAP, line)
        yield Text()
        conclusions = "; ".join(_conclusions(self.report))
        yield Text.assemble(_verdict(self.report.verdict, plain=options.ascii_only), "   ", (conclusions, "dim"))


def _padded(texts: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(texts, widths, strict=True)]


def _conclusions(report: SelfTestReport) -> Iterator[str]:
    missed = [row.error for row in report.attempts if not row.caught]
    yield f"missed: {', '.join(missed)}" if missed else f"{plural(len(report.attempts), 'planted error')} found"
    if report.sound != "PASS":
        yield f"without errors the verdict is {report.sound}"
    if report.absent:
        yield f"no place here for: {', '.join(report.absent)}"


def _verdict(verdict: str, *, plain: bool) -> Text:
    symbol = SYMBOLS.get(verdict, "?")
    text = verdict if plain else f"{symbol} {verdict}"
    return Text(text, STYLES.get(verdict, DOUBTFUL))


def _error(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.1e}"


def _index(index: tuple[int, ...] | None) -> str:
    return "-" if index is None else f"[{', '.join(map(str, index))}]"


def _counts(counts: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{count(times)} {verdict}" for verdict, times in counts.items())
