"""What is in a data set, and what is wrong with it, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.terminal.raster import Bar
from cnncli.render.text import count, number
from cnncli.wording import plural, printable, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views.data_check import ClassCount, DataCheck, Finding, SplitFacts

LISTED = 30
"""Classes in the table; of more, those with the fewest training samples."""
WIDTH = 20
"""Of the bar for the largest class."""
FEW = 4
"""Channels whose mean and deviation are told."""
STYLES = {"wrong": "bold red", "warning": "yellow", "fine": "bold green", "warnings": "yellow"}


def data_check(view: DataCheck) -> RenderableType:
    """The splits, the classes, what was found, and the verdict."""
    return Group(
        Heading("data", [("source", view.source)]),
        _splits(view.splits),
        *_classes(view.classes),
        *_findings(view.findings),
        _verdict(view),
    )


def _splits(splits: Sequence[SplitFacts]) -> RenderableType:
    columns = [
        Column("split", [split.name for split in splits]),
        Column("samples", [count(split.samples) for split in splits], right=True),
        Column("shape", [shape_text(split.shape) for split in splits]),
        Column("files", [_sizes(split) for split in splits], drop=1, note=_FILES),
        Column("numbers", [split.dtype for split in splits], drop=4),
        Column("range", [_range(split) for split in splits], drop=3),
        Column("targets", [split.targets for split in splits], drop=2),
    ]
    if not any(split.smallest for split in splits):
        columns = [column for column in columns if column.header != "files"]
    spread = [
        Column("split", [split.name for split in splits]),
        Column("mean", [_numbers(split.mean) for split in splits]),
        Column("std", [_numbers(split.std) for split in splits], note=_UNITS),
    ]
    return Group(Fitted(columns), Text(), Fitted(spread), Text())  # beside the rest they would not fit 80 columns


_UNITS = "Mean and std of each channel are in units of data.normalize: bytes are 0 to 1."
_FILES = "Files: width x height of the smallest and of the largest picture."


def _range(split: SplitFacts) -> str:
    return "-" if split.low is None else f"{number(split.low)} to {number(split.high)}"


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.4g}" for value in values) if len(values) <= FEW else f"({count(len(values))})"


def _sizes(split: SplitFacts) -> str:
    if split.smallest is None or split.largest is None:
        return "-"
    ends = dict.fromkeys(f"{width}x{height}" for width, height in (split.smallest, split.largest))
    return " to ".join(ends)


def _classes(classes: Sequence[ClassCount]) -> Iterator[RenderableType]:
    if not classes:
        return
    shown = list(classes)
    if len(shown) > LISTED:
        shown = sorted(shown, key=lambda each: each.samples["train"])[:LISTED]
        yield Text(f"the {len(shown)} of {count(len(classes))} classes with the fewest training samples", "dim")
    most = max(1, *(each.samples["train"] for each in classes))
    train, *others = shown[0].samples
    named = any(each.name != str(each.class_) for each in shown)
    yield Fitted(
        [
            *([Column("", [str(each.class_) for each in shown], right=True)] if named else []),
            Column("class", [each.name for each in shown]),
            Column(train, [count(each.samples[train]) for each in shown], right=True),
            Column("", [Bar(each.samples[train] / most, WIDTH) for each in shown], drop=1),
            *(Column(name, [count(each.samples[name]) for each in shown], right=True) for name in others),
        ]
    )
    yield Text()


def _findings(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """What each is, and the samples that it is about below that."""
    if not findings:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in findings:
        message = Text.assemble((f"{finding.kind}, {finding.split}", "bold"), f": {finding.message}")
        grid.add_row(Text(finding.severity, STYLES[finding.severity]), message)
        for example in finding.examples:
            grid.add_row("", Text(printable(example), "dim"))
        if finding.examples and finding.count > len(finding.examples):
            grid.add_row("", Text(f"... and {count(finding.count - len(finding.examples))} more", "dim"))
    yield grid
    yield Text()


def _verdict(view: DataCheck) -> Text:
    wrong = sum(finding.severity == "wrong" for finding in view.findings)
    counts = [plural(wrong, "fault")] if wrong else []
    counts += [plural(len(view.findings) - wrong, "warning")] if len(view.findings) > wrong else []
    text = {"fine": "fine: nothing is wrong", "warnings": "usable", "wrong": "wrong"}[view.verdict]
    return Text(f"{text}{': ' if counts else ''}{', '.join(counts)}", STYLES[view.verdict])
