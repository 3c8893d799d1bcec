"""A step of the optimizer in numbers: how far the loss fell, and how far it should have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.labels import facts
from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.terminal.raster import Bar
from cnncli.render.text import number, percent
from cnncli.wording import plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views.step import StepView

BAR = 12
"""Columns of the bar that shows a tensor's part of the prediction."""


def step(view: StepView) -> RenderableType:
    """The losses, shares of the step, and what it does to each parameter."""
    steps = plural(len(view.steps), "step")
    known = [*facts(view.subject), ("optimizer", view.optimizer), ("steps", str(len(view.steps)))]
    heading = Heading(f"{steps} of {view.optimizer}", [pair for pair in known if pair[0] not in ("optimizer", "steps")])
    parts: list[RenderableType] = [heading, *_summary(view)]
    if len(view.steps) > 1:
        parts += [Text(), _steps(view)]
    parts += [Text(), _shares(view), *(Text(line, "dim") for line in _reading(view)), Text(), _moves(view)]
    return Group(*parts)


def _summary(view: StepView) -> Iterator[Text]:
    first, last = view.losses[0], view.losses[-1]
    whole = view.shares[0]
    formula = f"-lr |g|^2, |g| = {number(view.gradient_norm)}" if view.plain and len(view.steps) == 1 else "<g, change>"
    yield Text.assemble(("loss              ", "dim"), f"{number(first, 6)} before, {number(last, 6)} after")
    yield Text.assemble(("predicted change  ", "dim"), f"{number(whole.predicted, 6)}", (f"   {formula}", "dim"))
    ratio = "" if whole.ratio is None else f"   {number(whole.ratio)} of the predicted"
    yield Text.assemble(("actual change     ", "dim"), f"{number(whole.actual, 6)}{ratio}")


def _steps(view: StepView) -> Fitted:
    return Fitted(
        [
            Column("step", [str(place) for place, _ in enumerate(view.steps, start=1)], right=True),
            Column("loss after", [number(loss) for loss in view.losses[1:]], right=True),
            Column("predicted", [number(change.predicted) for change in view.steps], right=True),
            Column("actual", [number(change.actual) for change in view.steps], right=True),
            Column("ratio", [number(change.ratio) for change in view.steps], right=True),
        ]
    )


def _shares(view: StepView) -> Fitted:
    shares = view.shares
    return Fitted(
        [
            Column("share of the way", [_share(each.share) for each in shares]),
            Column("predicted", [number(each.predicted) for each in shares], right=True),
            Column("actual", [number(each.actual) for each in shares], right=True),
            Column("rest", [number(each.rest) for each in shares], right=True),
            Column("actual / predicted", [number(each.ratio, 5) for each in shares], right=True),
        ]
    )


def _share(share: float) -> str:
    return f"1/{round(1 / share)}" if share < 1 else "all"


READING = (
    "predicted: the first-order term. The rest is of second order: for half of the way",
    "it is a quarter, and the ratio goes to 1. One that does not would mean a wrong",
    "gradient; one below 0 means that the step is too long.",
)
TOO_LONG = (
    "predicted: the first-order term. The step is far too long for it: with {share} of the way",
    "the ratio is still {ratio}, far from 1. A shorter step (a smaller --lr) shows whether the",
    "gradient is right.",
)
FAR = 0.5
"""From 1: so far off, the ratio of the shortest share tells nothing of the gradient."""


def _reading(view: StepView) -> Sequence[str]:
    """How the shares are to be read."""
    last = view.shares[-1]
    if last.ratio is None or abs(last.ratio - 1) <= FAR:
        return READING
    return [line.format(share=_share(last.share), ratio=number(last.ratio)) for line in TOO_LONG]


def _moves(view: StepView) -> Fitted:
    rows, total = view.moves, view.shares[0].predicted
    parts = [row.predicted / total if total else 0.0 for row in rows]
    return Fitted(
        [
            Column("parameter", [f"{row.node}.{row.key}" for row in rows]),
            Column("shape", [shape_text(row.shape) for row in rows], drop=3),
            Column("|W|", [number(row.weight_norm) for row in rows], right=True, drop=2),
            Column("|dL/dW|", [number(row.gradient_norm) for row in rows], right=True),
            Column("|change|", [number(row.change_norm) for row in rows], right=True, drop=2),
            Column("|change|/|W|", [number(row.ratio) for row in rows], right=True),
            Column("of the predicted", [percent(part) for part in parts], right=True),
            Column("", [Bar(part, BAR) for part in parts], drop=1),
        ]
    )
