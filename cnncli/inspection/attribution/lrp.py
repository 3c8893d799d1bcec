"""Layer-wise relevance propagation: the logit is shared out, layer by layer, among what contributed to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.graph import INPUT, Model, Node
from cnncli.inspection.attribution.fullgrad import offset_of
from cnncli.inspection.attribution.method import Attribution, Check, Target
from cnncli.inspection.attribution.relevance import AlphaBetaRule, EpsilonRule, Ledger, PassOn
from cnncli.inspection.attribution.rules import go_back
from cnncli.inspection.options import among
from cnncli.inspection.proxies import LayerProxy

Array = NDArray[Any]

RuleName = Literal["epsilon", "alpha-beta", "z+"]

EPSILON, ALPHA = 1e-9, 2.0
"""What the rules take unless it is said."""
TOLD = 6
"""Layers that a note names at most."""


@dataclass(frozen=True)
class LayerRelevance:
    """How much relevance arrived at the output of a layer, or at the input, and how much of it stayed there: one number
    for every sample."""

    node: str
    arrived: tuple[float, ...]
    offset: tuple[float, ...]
    """Its bias, or its mean and bias, took so much."""
    epsilon: tuple[float, ...]
    """What the rule adds to the denominator took so much."""


@dataclass(frozen=True, eq=False)
class RelevanceAttribution(Attribution):
    """With the relevance in each layer, from the target down."""

    layers: tuple[LayerRelevance, ...] = ()


@dataclass(frozen=True)
class Lrp:
    """Layer-wise relevance propagation (Bach et al. 2015): beginning with the logit, every layer shares the relevance
    of its outputs out among its inputs, in proportion to what they contributed.

    `rule` is for layers that are linear up to an offset: "epsilon"; "alpha-beta", with beta = alpha - 1; or "z+", which
    is alpha 1, beta 0 and lets positive contributions count alone (Montavon et al. 2017). Activation functions pass
    relevance on, the maximum of a window takes it all, copies and rearrangements keep it.
    """

    name: ClassVar[str] = "lrp"
    rule: RuleName = "epsilon"
    epsilon: float = EPSILON
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        among("--rule", self.rule, get_args(RuleName))
        if not 0 <= self.epsilon < math.inf:
            raise UsageError(f"--epsilon {self.epsilon:g}: expected 0 or more, as in 1e-6")
        if not 1 <= self.alpha < math.inf:
            raise UsageError(f"--alpha {self.alpha:g}: expected 1 or more (beta is alpha - 1), as in 2")

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        ledger = Ledger(len(x))
        rules = self._rules(executor.model, target.at, ledger)
        relevance = go_back(executor, rules, x, _Relevance(target), taps=[ledger])
        kept = ledger.total(ledger.offsets) + ledger.total(ledger.stabiliser)
        takers = "the offsets and epsilon" if ledger.stabiliser else "the offsets"
        formula = f"sum of relevance + what {takers} took = f(x)"
        check = Check("conservation", formula, ledger.arrived[INPUT] + kept, ledger.arrived[target.at])
        layers = tuple(
            LayerRelevance(name, *(tuple(book.get(name, np.zeros(len(x))).tolist()) for book in ledger.books))
            for name in reversed(executor.model.graph.consumers)
            if name in ledger.arrived
        )
        return RelevanceAttribution(relevance, signed=True, checks=(check,), notes=_notes(layers), layers=layers)

    def _rules(self, model: Model, at: str, ledger: Ledger) -> dict[str, LayerProxy]:
        rules = {node.name: self._rule(node, model, ledger) for node in model.graph.up_to(at).nodes}
        return {name: rule for name, rule in rules.items() if rule is not None}

    def _rule(self, node: Node, model: Model, ledger: Ledger) -> LayerProxy | None:
        """None where the layer's own backward is right: it moves each number to one place."""
        layer = node.layer
        if layer.picks_maximum or _moves(node):
            return None
        if layer.linear:
            offset = offset_of(model, node)
            if self.rule == "epsilon":
                return EpsilonRule(layer, node.name, offset, ledger, self.epsilon)
            return AlphaBetaRule(layer, node.name, offset, ledger, 1.0 if self.rule == "z+" else self.alpha)
        if layer.elementwise:
            return PassOn(layer)
        raise UsageError(f"lrp has no rule for {node.name}: {layer.type} is neither linear nor element by element")


def _notes(layers: Sequence[LayerRelevance]) -> tuple[str, ...]:
    """Of a single sample, what stayed where."""
    if len(layers[0].arrived) > 1:
        return ()
    kept = {layer.node: layer.offset[0] for layer in layers if layer.offset[0]}
    most = sorted(kept, key=lambda node: -abs(kept[node]))[:TOLD]
    told = [f"{node} {kept[node]:.3g}" for node in kept if node in most]
    if len(kept) > TOLD:
        told.append(f"the others {sum(kept.values()) - sum(kept[node] for node in most):.3g}")
    first, last = layers[0], layers[-1]
    taken = f"the offsets took {', '.join(told)}" if told else "no offset took any"
    return (f"relevance: {first.arrived[0]:.4g} at {first.node}, {last.arrived[0]:.4g} at the {last.node}; {taken}",)


def _moves(node: Node) -> bool:
    """Whether every output is one of the inputs, and each input one output: flatten, concat, identity, dropout.

    Their backward gives parts of dy, and together as many numbers as there are; of add it gives more.
    """
    numbers = sum(math.prod(shape) for shape in node.input_shapes)
    return node.layer.linear and node.layer.aliases_dy and numbers == math.prod(node.shape)


@dataclass(frozen=True, eq=False)
class _Relevance:
    """An objective whose gradient is the target itself, in its place: the relevance to begin with."""

    target: Target
    mean: ClassVar[bool] = False

    @property
    def at(self) -> str:
        return self.target.at

    def evaluate(self, y: Array, samples: slice) -> tuple[Array, Array]:
        values, gradient = self.target.objective.evaluate(y, samples)
        return values, np.multiply(gradient, values, out=gradient)
