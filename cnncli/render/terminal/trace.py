"""The arithmetic of one number, to be checked with a pocket calculator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.labels import facts
from cnncli.render.terminal.arithmetic import (
    DIGITS,
    TERMS,
    Detail,
    Ledger,
    Line,
    Terms,
    largest_first,
    place_text,
    total,
)
from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.terminal.windows import Products, Winner, share
from cnncli.render.text import count, number, numbers
from cnncli.wording import plural, shape_text

if TYPE_CHECKING:
    from cnncli.inspection.trace import ByHand, Flows, LossAccount, Maximum, Sum, Trace

Array = NDArray[Any]


def trace(trace: Trace, *, every: bool = False, digits: int = DIGITS) -> RenderableType:
    """The terms, their sum, and the engine's number beside it. `every`: all the terms."""
    assert trace.arithmetic is not None, "a receptive field is a board"
    parts = _PARTS[trace.arithmetic.kind](trace, trace.arithmetic, Detail(every, digits))
    return Group(_heading(trace), *parts)


def _heading(trace: Trace) -> Heading:
    number = trace.number
    kind = [(number.type, shape_text(number.shape))] if number.shape else []
    return Heading(f"trace {number.name}", [*kind, *facts(trace.subject)], _sample(trace))


def _sample(trace: Trace) -> str:
    subject = trace.subject
    if subject.samples == 1:
        return ""
    inputs = f"{count(subject.samples)} inputs"
    return f"over all {inputs}" if trace.number.sample is None else f"sample {subject.sample} of {inputs}"


def _sum(trace: Trace, sum_: Sum, detail: Detail) -> Iterator[RenderableType]:
    number = trace.number
    products = [window.products[window.inside] for window in sum_.windows]
    terms = np.concatenate(products) if products else np.empty(0)
    if terms.size == 1 and terms[0] == sum_.windows[0].values.item() == trace.value:
        window = sum_.windows[0]
        yield Text(f"{number.name} is {place_text(window.source, window.first)} itself")
        yield _ledger(trace, [], detail)
        return
    yield Products(sum_, place_text(f"{number.node}.weight", number.index[:1]), detail)
    yield Text()
    lines: list[tuple[str, float | None]] = []
    each = share(sum_)
    if each is not None:
        window = sum_.windows[0]
        lines.append((f"  sum of {count(terms.size)} numbers", total(window.values[window.inside])))
        lines.append((f"x 1 / {1 / each:g}", None))
    else:
        lines.append((f"  sum of {plural(terms.size, 'product')}", total(terms)))
    if sum_.offset or sum_.offset_name:
        lines.append((f"+ {sum_.offset_name or 'what is left where all inputs are 0'}", sum_.offset))
    yield _ledger(trace, lines, detail, same=lines[-1][1] is not None)


def _maximum(trace: Trace, maximum: Maximum, detail: Detail) -> Iterator[RenderableType]:
    window = maximum.window
    winner = np.argwhere((window.coefficients == 1) & window.inside)[0]
    place = np.array(window.first) + winner * np.array(window.step)
    yield Winner(maximum, detail)
    yield Text()
    size = int(np.count_nonzero(window.inside))
    first = place_text(window.source, place)
    text = f"the largest of these {size} is {first}: it alone gets the gradient"
    if maximum.ties > 1:
        text = f"{maximum.ties} of these {size} are equally large; the first, {first}, alone gets the gradient"
    yield Text(text)
    yield Text()
    yield _ledger(trace, [], detail)


def _by_hand(trace: Trace, by_hand: ByHand, detail: Detail) -> Iterator[RenderableType]:
    *first, (how, _) = by_hand.steps
    yield Text(f"x is {place_text(by_hand.source, by_hand.place)}")
    yield Text()
    yield _ledger(trace, [(f"  {text}", value) for text, value in first], detail, how, same=False)
    yield Text()
    gate = "" if by_hand.gate is None else f": the gate is {by_hand.gate}"
    yield Text(f"on the way back: dL/dx = dL/dy x {number(by_hand.slope, detail.digits)}{gate}")


def _loss(trace: Trace, account: LossAccount, detail: Detail) -> Iterator[RenderableType]:
    yield _outputs(account, detail)
    yield Text()
    mean = account.divisor > 1
    slope = f"({account.slope_formula}) / {account.divisor}" if mean else account.slope_formula
    yield Text(f"term = {account.formula}", style="dim")
    yield Text(f"gradient = {slope}", style="dim")
    yield Text()
    lines: list[tuple[str, float | None]] = [
        (f"  sum of {plural(account.terms.size, 'term')}", total(account.terms)),
        (f"/ {account.divisor}", None),
    ]
    yield _ledger(trace, lines if mean else lines[:1], detail, same=not mean)


def _outputs(account: LossAccount, detail: Detail) -> Fitted:
    """What the loss reads, element by element; of many those that matter most."""
    terms, slopes = account.terms.ravel(), account.slopes.ravel()
    whole = detail.every or terms.size <= 2 * TERMS
    order = largest_first(np.abs(terms) + np.abs(slopes))
    shown = np.arange(terms.size) if whole else order[:TERMS]
    rest = np.delete(terms, shown)
    names = [_element(account, int(element)) for element in shown]
    columns = {name: column.ravel()[shown] for name, column in account.columns.items()}
    columns |= {"term": terms[shown], "gradient": slopes[shown] / account.divisor}
    texts = {name: numbers(column, detail.digits) for name, column in columns.items()}
    if not whole:
        texts = {name: [*column, ""] for name, column in texts.items()}
        texts["term"] = numbers(np.append(terms[shown], total(rest)), detail.digits)
        names.append(f"and {count(rest.size)} others")
    made = (Column(name, text, right=True, drop=name in account.columns) for name, text in texts.items())
    return Fitted([Column(account.reads, names), *made])


def _element(account: LossAccount, element: int) -> str:
    place = np.unravel_index(element, account.terms.shape)
    text = ",".join(str(int(i)) for i in place)
    return f"{text} {account.classes[element]}" if len(account.classes) == account.terms.size else text


def _flows(trace: Trace, flows: Flows, detail: Detail) -> Iterator[RenderableType]:
    terms = _chain(flows, trace.subject.samples > 1, detail)
    yield Text(f"slope = dy / d {trace.number.name.removeprefix('dL/d ')}", style="dim")
    yield from [terms] if terms.products.size else []
    if still := sum(flow.still for flow in flows.flows):
        yield Text(f"and {count(still)} more places where the slope is 0", style="dim")
    yield Text()
    yield _ledger(trace, [(f"  sum of {plural(terms.products.size, 'term')}", total(terms.products))], detail)
    for flow in flows.flows:
        if flow.by_hand:
            yield Text()
            yield Text(f"the slope of the {flow.reader}", style="bold")
            yield Ledger([Line(text, number(value, detail.digits)) for text, value in flow.by_hand])


def _chain(flows: Flows, several: bool, detail: Detail) -> Terms:
    """The terms of all readers together. `several`: there is more than one sample."""
    owners = [(flow, k) for flow in flows.flows for k in range(len(flow.slopes))]

    def name(term: int) -> str:
        flow, k = owners[term]
        return place_text(flow.reader, flow.places[k]) + (f" of sample {flow.samples[k]}" if several else "")

    def factor(term: int) -> str:
        flow, k = owners[term]
        return place_text(flow.factor, flow.factor_places[k]) if flow.factor and flow.factor_places is not None else ""

    arrays = [(flow.upstream, flow.slopes, flow.products) for flow in flows.flows]
    empty = (np.empty(0),) * 3  # a number that nobody reads has no terms
    upstream, slopes, products = (np.concatenate(column) for column in zip(empty, *arrays, strict=True))
    remarks = ("which is", factor) if any(flow.factor for flow in flows.flows) else None
    return Terms("y", name, [("dL/dy", upstream), ("x slope", slopes)], products, detail, remarks)


def _ledger(
    trace: Trace, lines: Sequence[tuple[str, float | None]], detail: Detail, how: str = "", *, same: bool = True
) -> Ledger:
    """The lines, the number itself (and `how` it follows from them), and what the engine has. `same`: the numbers have
    the same decimals, as those of a sum."""
    values = [value for _, value in lines if value is not None] + [trace.value]
    texts = iter(
        numbers(np.array(values), detail.digits) if same else [number(value, detail.digits) for value in values]
    )
    made = [Line(label, "" if value is None else next(texts)) for label, value in lines]
    last = next(texts)
    result = Line(f"= {trace.number.name}" + (f" = {how}" if how else ""), last, style="bold", rule=bool(lines))
    return Ledger([*made, result, _engine(trace, last)])


def _engine(trace: Trace, text: str) -> Line:
    label = "  the engine has"
    if not (math.isfinite(trace.engine) and math.isfinite(trace.value)):
        return Line(label, str(trace.engine), "not finite", "bold magenta")
    difference = abs(trace.value - trace.engine)
    to = f", {trace.engine:.15g} to within {difference:.1e}" if difference else ""
    return Line(label, text, f"equal{to}", "green")


_PARTS: dict[str, Callable[[Trace, Any, Detail], Iterator[RenderableType]]] = {
    "sum": _sum,
    "maximum": _maximum,
    "by_hand": _by_hand,
    "loss": _loss,
    "flows": _flows,
}
