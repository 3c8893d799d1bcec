"""Tables of results: the network, what something came to, predictions, a gradient check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from cnncli.render.fitted import Column, Fitted
from cnncli.render.flow import class_bars
from cnncli.render.text import count, magnitude, number, shape_text

if TYPE_CHECKING:
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


def results(rows: Sequence[tuple[str, object]]) -> RenderableType:
    """What something came to: a name and a value a line, numbers with 4 digits; what is None is left out."""
    known = [(name, value) for name, value in rows if value is not None]
    return Fitted(
        [
            Column("", [Text(name, "dim") for name, _ in known]),
            Column("", [number(value) if isinstance(value, float) else str(value) for _, value in known]),
        ]
    )


def predictions(results: Sequence[Prediction]) -> RenderableType:
    """For every input its most probable classes with bars."""
    parts: list[RenderableType] = []
    for result in results:
        parts += [Text(result.input, "bold"), class_bars(result.top), Text()]
    return Group(*parts[:-1])


class TensorCheck(Protocol):
    """What is told of one tensor that was checked; None where there is nothing to tell."""

    @property
    def node(self) -> str:
        """The layer."""

    @property
    def tensor(self) -> str:
        """ "weight", "bias", "input", ..."""

    @property
    def verdict(self) -> str:
        """ "PASS", "FAIL", ..."""

    @property
    def relative_error(self) -> float | None:
        """The largest that was met."""

    @property
    def index(self) -> tuple[int, ...] | None:
        """Where that was."""

    @property
    def analytic(self) -> float | None:
        """What backward says there."""

    @property
    def numeric(self) -> float | None:
        """What the check says there."""

    @property
    def hint(self) -> str | None:
        """What may be wrong."""


class Checked(Protocol):
    """The result of a gradient check."""

    @property
    def verdict(self) -> str:
        """Of the whole."""

    @property
    def tensors(self) -> Sequence[TensorCheck]:
        """Of every tensor."""


def gradcheck(report: Checked) -> RenderableType:
    """A row for each tensor, the hints, and how many tensors had which verdict."""
    return _Gradcheck(report)


@dataclass(frozen=True)
class _Gradcheck:
    report: Checked

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = self.report.tensors
        plain = options.ascii_only
        yield Fitted(
            [
                Column("tensor", [f"{row.node}.{row.tensor}" for row in rows]),
                Column("verdict", [_verdict(row.verdict, plain=plain) for row in rows]),
                Column("error", [_error(row.relative_error) for row in rows], right=True),
                Column("worst at", [_index(row.index) for row in rows], drop=3),
                Column("analytic", [number(row.analytic) for row in rows], right=True, drop=2),
                Column("numeric", [number(row.numeric) for row in rows], right=True, drop=2),
            ]
        )
        for row in rows:
            if row.hint:
                yield Text.assemble((f"{row.node}.{row.tensor}", "bold"), f": {row.hint}")
        counts = Counter(row.verdict for row in rows)
        yield Text()
        yield Text.assemble(_verdict(self.report.verdict, plain=plain), "   ", (_counts(counts), "dim"))


def _verdict(verdict: str, *, plain: bool) -> Text:
    symbol = SYMBOLS.get(verdict.upper(), "?")
    text = verdict if plain else f"{symbol} {verdict}"
    return Text(text, STYLES.get(verdict.upper(), DOUBTFUL))


def _error(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.1e}"


def _index(index: tuple[int, ...] | None) -> str:
    return "-" if index is None else f"[{', '.join(map(str, index))}]"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count(times)} {verdict}" for verdict, times in counts.items())
