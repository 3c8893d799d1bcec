"""What a training would be like, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.text import count, duration, magnitude

if TYPE_CHECKING:
    from cnncli.inspection.dry_run import DryRun


def dry_run(result: DryRun) -> RenderableType:
    """What was checked, then the estimates."""
    facts = [("parameters", count(result.parameters)), ("workers", count(result.workers))]
    samples = ", ".join(f"{count(number)} {split}" for split, number in result.samples.items())
    batches = f"{count(result.batches)} batches of {count(result.batch_size)} an epoch"
    memory = "-" if result.peak_memory_bytes is None else f"{magnitude(result.peak_memory_bytes)}B"
    space = f"{magnitude(result.checkpoint_bytes)}B of {magnitude(result.free_bytes)}B that are free"
    rows = [
        ("data", f"{samples}; {batches}"),
        ("results", result.run),
        ("speed", f"{result.images_per_second:,.0f} images/s in training"),
        ("time", f"{duration(result.epoch_seconds)} an epoch, {duration(result.seconds)} for {count(result.epochs)}"),
        ("memory", f"{memory} at its peak"),
        ("disk", space),
    ]
    table = Fitted([Column("", [Text(name, "dim") for name, _ in rows]), Column("", [text for _, text in rows])])
    notes = [Text(note) for note in result.notes]
    end = Text("Everything is in order; nothing was trained, and nothing was written.", "green")
    return Group(Heading(result.name, facts), *notes, table, Text(), end)
