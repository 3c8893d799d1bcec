"""Tables of results: the network, predictions, a gradient check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from cnncli.render.fitted import Column, Fitted
from cnncli.render.flow import class_bars
from cnncli.render.text import count, magnitude, number, plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.gradcheck import GradcheckReport, SelfTestReport, TensorCheck, Verdict
    from cnncli.inspection.views import Prediction, ReceptiveField, SummaryView

SYMBOLS = {"PASS": "✓", "FAIL": "✗", "KINK": "~", "UNCHECKED": "?"}
STYLES = {"PASS": "green", "FAIL": "bold red"}
DOUBTFUL = "yellow"


def summary(view: SummaryView) -> RenderableType:
    """The layers with shapes, parameters, work and receptive fields, and the totals."""
    rows = view.layers
    return Group(
        Fitted(
            [
                Column("layer", ["input", *(row.name for row in rows)], total="total"),
                Column("type", ["", *(row.type for row in rows)], drop=3),
                Column("inputs", ["", *(", ".join(row.inputs) for row in rows)], drop=4),
                Column("output", [shape_text(shape) for shape in (view.input_shape, *(row.shape for row in rows))]),
                Column(
                    "parameters",
                    ["", *(count(row.parameters) if row.parameters else "" for row in rows)],
                    right=True,
                    total=count(view.parameters),
                ),
                Column(
                    "MACs",
                    ["", *(magnitude(row.macs) if row.macs else "" for row in rows)],
                    right=True,
                    drop=1,
                    total=magnitude(view.macs),
                ),
                Column("receptive field", ["", *(_field(row.receptive_field) for row in rows)], drop=2),
            ]
        ),
        Text("MACs: multiply-accumulate operations for one sample.", "dim"),
        Text("Receptive field: size / stride / padding.", "dim"),
    )


def _field(field: ReceptiveField | None) -> str:
    if field is None:
        return "all"
    pairs = (field.size, field.stride, field.padding)
    return " / ".join(str(pair[0]) if pair[0] == pair[1] else shape_text(pair) for pair in pairs)


def predictions(results: Sequence[Prediction]) -> RenderableType:
    """For every input its most probable classes with bars."""
    parts: list[RenderableType] = []
    for result in results:
        parts += [Text(result.input, "bold"), class_bars(result.top), Text()]
    return Group(*parts[:-1])


LEVELS = {
    "layer": "each layer alone: on its inputs in the network, with a random upstream gradient",
    "network": "the whole network: its loss",
}


def gradcheck(report: GradcheckReport) -> RenderableType:
    """A row for each tensor, the layers alone first; the hints; how many tensors had which verdict."""
    return _Gradcheck(report)


@dataclass(frozen=True)
class _Gradcheck:
    report: GradcheckReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = options.ascii_only
        for level, title in LEVELS.items():
            rows = [row for row in self.report.tensors if row.level == level]
            if rows:
                yield Text(title, "bold")
                yield _checks(rows, plain=plain)
                for row in rows:
                    if row.hint:
                        yield Text.assemble((row.name, "bold"), f": {row.hint}")
                yield Text()
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


def self_test(report: SelfTestReport) -> RenderableType:
    """A row for each planted error, and what came of them."""
    return _SelfTest(report)


@dataclass(frozen=True)
class _SelfTest:
    report: SelfTestReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = self.report.attempts
        yield Fitted(
            [
                Column("planted error", [row.error for row in rows]),
                Column("in", [row.name for row in rows]),
                Column("verdict", [row.verdict for row in rows]),
                Column("error", [_error(row.relative_error) for row in rows], right=True),
                Column("hint", [row.hint or "" for row in rows], drop=1),
            ]
        )
        yield Text()
        verdict = _verdict(self.report.verdict, plain=options.ascii_only)
        yield Text.assemble(verdict, "   ", ("; ".join(_conclusions(self.report)), "dim"))


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
