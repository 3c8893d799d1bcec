"""The moving bar of a training in a terminal."""

from __future__ import annotations

import sys
from time import perf_counter

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cnncli.cli.output import console
from cnncli.training.progress import PlainLines, Plan, Step, scores_text

REFRESH = 0.1
"""Seconds between two updates of the bar."""
ROOMY = 100
"""Columns of a terminal that has room for the number of the batch beside the rest."""


class LiveBar(PlainLines):
    """Plain lines too, above a bar over the whole training with what the current epoch has come to."""

    def __init__(self) -> None:
        terminal = console(stderr=True)
        super().__init__(sys.stderr, terminal.width)
        batch = [TextColumn("batch {task.fields[batch]}")] if terminal.width >= ROOMY else []
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            *batch,
            TextColumn("{task.fields[scores]}"),
            TextColumn("{task.fields[speed]:,.0f} img/s"),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=terminal,
            transient=True,
        )
        self.shown_at = 0.0
        self.samples = 0  # since then
        self.seconds = 0.0  # of training since then

    def __enter__(self) -> LiveBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def started(self, plan: Plan) -> None:
        """Shows the bar; whatever is written to stderr then appears above it."""
        super().started(plan)
        self.bar.add_task(
            "",
            total=plan.epochs * plan.batches,
            completed=plan.done * plan.batches,
            epoch=f"{min(plan.done + 1, plan.epochs)}/{plan.epochs}",
            batch="",
            scores="",
            speed=0.0,
        )
        self.bar.start()
        self.stream = sys.stderr

    def step(self, step: Step) -> None:
        """Moves the bar, now and then."""
        super().step(step)
        self.samples += step.samples
        self.seconds += step.seconds
        now = perf_counter()
        if now - self.shown_at < REFRESH:
            return
        self.bar.update(
            self.bar.task_ids[0],
            completed=(step.epoch - 1) * self.batches + step.batch,
            epoch=f"{step.epoch}/{self.epochs}",
            batch=f"{step.batch}/{self.batches}",
            scores=scores_text(step.so_far),
            speed=self.samples / self.seconds,
        )
        self.shown_at, self.samples, self.seconds = now, 0, 0.0
