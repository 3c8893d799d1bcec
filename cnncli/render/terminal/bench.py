"""How fast a network is, and where the time goes, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.terminal.raster import Bar
from cnncli.render.text import count, magnitude, percent
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.inspection.bench import Bench, Cost, LayerCosts

CAUTION = "Only ratios within one run on a quiet machine mean something."
FLOOR = (
    "Floor: the share of the time that plain matrix products of these sizes take.",
    "Above 100% the engine makes them quicker, in panels that suit the cache.",
)
BAR = 12
"""Cells of the bar that shows a layer's time beside the others'."""


def bench(results: Sequence[Bench]) -> RenderableType:
    """One network at one or several batch sizes: the speeds, then the layers where they were measured."""
    first = results[0]
    facts = [
        ("parameters", count(first.parameters)),
        ("MACs", magnitude(first.macs)),
        ("optimizer", first.optimizer),
        ("dtype", first.dtype),
        ("workers", count(first.workers)),
    ]
    parts: list[RenderableType] = [Heading(first.name, facts), _speeds(results), Text()]
    with_layers = [(each, each.layers) for each in results if each.layers is not None]
    for each, costs in with_layers:
        title = f"layers at batch {count(each.batch_size)}: a training step on one thread, without the update"
        parts += [Text(title, "bold"), _layers(costs), Text()]
    notes = [*FLOOR, CAUTION] if with_layers else [CAUTION]
    return Group(*parts, *(Text(note, "dim") for note in notes))


def _speeds(results: Sequence[Bench]) -> Fitted:
    """Two rows a batch size: training and inference."""
    steps = [step for each in results for step in (("training", each.training), ("inference", each.inference))]
    rates = [speed.images_per_second for _, speed in steps]
    memory = ("-" if each.peak_memory_bytes is None else f"{magnitude(each.peak_memory_bytes)}B" for each in results)
    return Fitted(
        [
            Column("batch", _spaced(count(each.batch_size) for each in results), right=True),
            Column("micro-batch", _spaced(count(each.micro_batch) for each in results), right=True, drop=3),
            Column("", [name for name, _ in steps]),
            Column("images/s", [f"{rate.median:,.0f}" for rate in rates], right=True),
            Column("min", [f"{rate.min:,.0f}" for rate in rates], right=True, drop=1),
            Column("max", [f"{rate.max:,.0f}" for rate in rates], right=True, drop=1),
            Column("steps", [count(speed.steps) for _, speed in steps], right=True, drop=4),
            Column("peak memory", _spaced(memory), right=True, drop=2),
        ]
    )


def _spaced(cells: Iterable[str]) -> list[str]:
    """Each with an empty one below."""
    return [text for cell in cells for text in (cell, "")]


def _layers(costs: LayerCosts) -> Fitted:
    """A row for every layer, then for the loss, for the engine and for all of it."""
    rows, total = (*costs.rows, costs.loss, costs.engine), costs.total
    shares = [row.seconds / total.seconds for row in rows]
    return Fitted(
        [
            Column("layer", [row.name for row in rows], total=total.name),
            Column("type", [row.type for row in rows], drop=2),
            Column("output", ["" if row.shape is None else shape_text(row.shape) for row in rows], drop=1),
            Column(
                "forward ms",
                [_milliseconds(row.forward_seconds) for row in rows],
                right=True,
                total=_milliseconds(total.forward_seconds),
            ),
            Column(
                "backward ms",
                [_milliseconds(row.backward_seconds) for row in rows],
                right=True,
                total=_milliseconds(total.backward_seconds),
            ),
            Column("time", [percent(share) for share in shares], right=True, drop=3),
            Column("", [Bar(share / max(shares), BAR) for share in shares], drop=4),
            Column("GFLOP/s", [_rate(row) for row in rows], right=True, total=_rate(total)),
            Column("floor", [_floor(row) for row in rows], right=True, total=_floor(total)),
        ]
    )


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.3f}" if seconds else ""


def _rate(row: Cost) -> str:
    return f"{row.gflops_per_second:.1f}" if row.flops else ""


def _floor(row: Cost) -> str:
    return f"{row.floor_share:.0%}" if row.flops else ""
