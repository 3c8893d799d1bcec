"""Attributions as pictures: for every input a row with the input, its map, and both in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.statistics import as_maps, statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile, layer_stem
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.graph import Graph
    from cnncli.inspection.attribution.method import Attribution, Check
    from cnncli.inspection.attribution.sanity import Redrawn

Array = NDArray[Any]

ROWS = 6
"""Inputs on one sheet, at most."""

SANITY = (
    "sanity: rank correlation with the trained network's map, of the magnitudes, as the weights are drawn anew from "
    "the output down; where it stays near 1, the map does not show what those layers have learned "
    "(Adebayo et al. 2018)"
)


@dataclass(frozen=True)
class CheckResult:
    """A check of one input: the two sides of its formula, and |left - right| / max(|left|, |right|)."""

    name: str
    formula: str
    left: float
    right: float
    residual: float
    holds: bool
    condition: str

    def __str__(self) -> str:
        sides = zip(self.formula.split(" = "), (self.left, self.right), strict=True)
        equation = " = ".join(f"{words} {value:.4g}" for words, value in sides)
        limits = "" if self.holds else f" (exact for {self.condition})"
        return f"{self.name}: {equation}, residual {_share(self.residual)}{limits}"


@dataclass(frozen=True)
class Explained:
    """One input, which number of the output was explained, and how well the attribution adds up."""

    input: str
    true: str | None
    predicted: str | None
    target: str
    value: float
    """Of the target."""
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True)
class SanityStep:
    """How much the maps, one for each input, still resemble the trained network's after this layer, and all that
    follow it, were drawn anew; nan where a map is constant."""

    node: str
    changed: bool
    correlations: tuple[float, ...]
    with_signs: tuple[float, ...]
    """The same of the numbers themselves instead of their magnitudes."""

    @property
    def mean(self) -> float:
        """Of the correlations, over the inputs; nan if there is none that varies."""
        return _mean(self.correlations)

    @property
    def mean_with_signs(self) -> float:
        """The same of the numbers themselves."""
        return _mean(self.with_signs)


@dataclass(frozen=True, eq=False)
class AttributionBoard(Board):
    """The pictures of one method, and what they were made from."""

    method: str = ""
    inputs: tuple[Explained, ...] = ()
    sanity: tuple[SanityStep, ...] = ()
    """The last layer first; empty if it was not asked for."""
    values: Array | None = None
    """Of all inputs, as the method's `Attribution` has them."""

    @property
    def nonfinite(self) -> tuple[str, ...]:
        wrong = [each.input for each in self.inputs if not np.isfinite(each.value)]
        return (*(f"what is explained of {name}" for name in wrong), *super().nonfinite)


def attribution_board(
    view: str,
    method: str,
    attribution: Attribution,
    subjects: Sequence[Subject],
    outputs: Array,
    graph: Graph,
    sanity: Sequence[Redrawn] = (),
) -> AttributionBoard:
    """`method` is its name; `subjects` are the inputs, in their order, each with its target, whose values are
    `outputs`, (N,)."""
    checks = [tuple(_result(check, index) for check in attribution.checks) for index in range(len(subjects))]
    rows = [_row(attribution, index, method, graph, subject) for index, subject in enumerate(subjects)]
    rows = [replace(row, notes=tuple(map(str, results))) for row, results in zip(rows, checks, strict=True)]
    where = () if attribution.node == INPUT else (f"at {attribution.node}",)
    title: tuple[str, ...] = (method, *where, shape_text(attribution.values.shape[1:]))
    if len(rows) == 1:
        rows, title = [replace(rows[0], title=title)], ()
        whole = replace(subjects[0], picture=None)  # it is the first tile
    else:
        whole = Subject(f"{len(rows)} inputs", samples=len(rows))
    stem = layer_stem(rows[0].index or 0, attribution.node, method.replace("+", "-plus"))
    sheets = [
        Sheet(
            stem + (f"_{start + 1}" if len(rows) > ROWS else ""),
            tuple(rows[start : start + ROWS]),
            title,
            notes=attribution.notes,
        )
        for start in range(0, len(rows), ROWS)
    ]
    return AttributionBoard(
        view,
        whole,
        (*sheets, *_sanity_sheets(attribution, sanity, method, subjects, stem)),
        method=method,
        inputs=tuple(
            Explained(subject.input, subject.true, subject.predicted, subject.target or "", float(value), results)
            for subject, value, results in zip(subjects, outputs, checks, strict=True)
        ),
        sanity=tuple(SanityStep(step.node, step.changed, step.correlations, step.with_signs) for step in sanity),
        values=attribution.values,
    )


def _result(check: Check, index: int) -> CheckResult:
    left, right, residual = (float(side[index]) for side in (check.left, check.right, check.residual))
    return CheckResult(check.name, check.formula, left, right, residual, check.holds, check.condition)


def _row(attribution: Attribution, index: int, method: str, graph: Graph, subject: Subject) -> Row:
    values, picture = attribution.values[index], subject.picture
    tiles = [] if picture is None else [Tile("input", picture)]
    found = _map(values, picture)
    tiles.append(Tile(_label(values, method, found), found))
    coarse = values.shape != graph.input_shape
    if picture is not None and (coarse or not attribution.signed) and min(found.shape) > 1:
        tiles.append(Tile("over the input", picture, over=found))
    tiles += [Tile(name, _map(array[index], picture)) for name, array in attribution.details]
    drawn = np.concatenate([tile.values.ravel() for tile in tiles if not tile.is_picture])
    node = graph.by_name.get(attribution.node)
    facts = [(name, getattr(subject, name)) for name in ("true", "predicted", "target")]
    return Row(
        title=(subject.input, *(f"{name} {fact}" for name, fact in facts if fact)),
        what=method,
        tiles=tuple(tiles),
        node=attribution.node,
        type=INPUT if node is None else node.layer.type,
        index=graph.place(attribution.node),
        shape=values.shape,
        signed=attribution.signed,
        statistics=statistics(drawn),
        array=values,
        scale_of="this input",
    )


def _map(values: Array, picture: Array | None) -> Array:
    """One sample's attribution as one map (H, W), channels summed; of a flat input laid out as its picture is."""
    if values.ndim == 1 and picture is not None and picture.size == values.size and len(picture) > 1:
        height, width = picture.shape[:2]
        values = values.reshape(-1, height, width)
    maps = as_maps(values)
    summed: Array = maps[0] if len(maps) == 1 else maps.sum(axis=0)
    return summed


def _label(values: Array, method: str, found: Array) -> str:
    channels = values.size // found.size
    return method if channels == 1 else f"sum of {channels} channels"


def _sanity_sheets(
    attribution: Attribution, sanity: Sequence[Redrawn], method: str, subjects: Sequence[Subject], stem: str
) -> list[Sheet]:
    """A sheet for each input; the maps, which differ by orders of magnitude, have the largest magnitude 1."""
    sheets = []
    for index, subject in enumerate(subjects if sanity else ()):
        steps = [("trained", attribution.values)]
        steps += [(f"{step.node}: {step.correlations[index]:.2f}", step.values) for step in sanity]
        tiles = tuple(Tile(label, _unit(_map(values[index], subject.picture))) for label, values in steps)
        row = Row(
            title=(f"{method} as the weights are drawn anew", "each map divided by its max |.|"),
            what="sanity",
            tiles=tiles,
            signed=attribution.signed,
            statistics=statistics(np.stack([tile.values for tile in tiles])),
            scale_of="this input",
        )
        several = len(subjects) > 1
        sheets.append(
            Sheet(
                f"{stem}-sanity" + (f"_{index + 1}" if several else ""),
                (row,),
                subject=replace(subject, picture=None) if several else None,
                notes=(SANITY,),
            )
        )
    return sheets


def _unit(values: Array) -> Array:
    largest = float(np.abs(values).max(initial=0))
    return values / largest if largest > 0 else values


def _mean(correlations: Sequence[float]) -> float:
    known = [each for each in correlations if each == each]
    return float(np.mean(known)) if known else float("nan")


def _share(residual: float) -> str:
    """0.0002 to 0.02%; what is smaller in powers of ten."""
    if not residual or residual != residual:
        return f"{residual:g}"
    return f"{residual:.0e}" if residual < 1e-4 else f"{100 * residual:.2f}%"
