"""The runs of a folder as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.text import count, duration, number
from cnncli.wording import printable

if TYPE_CHECKING:
    from cnncli.inspection.views.runs import RunRow, RunsView, Score

STYLES = {"running": "green", "diverged": "red", "damaged": "red"}
"""Of the states that somebody should notice."""
NOTHING = "-"


def runs(view: RunsView) -> RenderableType:
    """A row for each, and under the table what is wrong with the damaged ones."""
    if not view.runs:
        return Text(f"no runs in {printable(view.folder)}")
    rows = view.runs
    best, test = [row.best for row in rows], [row.test for row in rows]
    table = Fitted(
        [
            Column("run", [printable(row.name) for row in rows]),
            Column(
                "started", [NOTHING if row.started is None else f"{row.started:%Y-%m-%d %H:%M}" for row in rows], drop=4
            ),
            Column("state", [Text(row.state, STYLES.get(row.state, "")) for row in rows]),
            Column("epochs", [epochs_text(row) for row in rows], right=True, drop=2),
            Column(_header("best", best), _scores(best), right=True),
            Column(_header("test", test), _scores(test), right=True, drop=1),
            Column("parameters", [parameters_text(row) for row in rows], right=True, drop=5),
            Column("time", [duration_text(row) for row in rows], right=True, drop=3),
        ]
    )
    problems = [Text(f"damaged: {printable(row.problem)}", "dim") for row in rows if row.problem is not None]
    return Group(table, *problems)


def epochs_text(row: RunRow) -> str:
    """`3 of 10`."""
    return NOTHING if row.epoch is None or row.epochs is None else f"{count(row.epoch)} of {count(row.epochs)}"


def parameters_text(row: RunRow) -> str:
    """With commas."""
    return NOTHING if row.parameters is None else count(row.parameters)


def duration_text(row: RunRow) -> str:
    """How long it took."""
    return NOTHING if row.seconds is None else duration(row.seconds)


def score_text(score: Score | None) -> str:
    """`val accuracy 87.25%`; - for None."""
    return NOTHING if score is None else f"{score.split} {score.metric} {_value(score)}"


def _value(score: Score) -> str:
    return f"{score.value:.2%}" if score.is_share else number(score.value)


def _kinds(scores: Sequence[Score | None]) -> set[tuple[str, str]]:
    return {(score.split, score.metric) for score in scores if score is not None}


def _header(name: str, scores: Sequence[Score | None]) -> str:
    """What the numbers are, where all are of one kind: then the cells need not say it."""
    kinds = _kinds(scores)
    return " ".join(kinds.pop()) if len(kinds) == 1 else name


def _scores(scores: Sequence[Score | None]) -> list[str]:
    one_kind = len(_kinds(scores)) == 1
    return [_value(score) if score is not None and one_kind else score_text(score) for score in scores]
