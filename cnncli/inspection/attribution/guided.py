"""Guided backpropagation and the deconvnet: gradients that rectifiers stop by other rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from cnncli.engine import Executor
from cnncli.inspection.attribution.method import Attribution, Target
from cnncli.inspection.attribution.rules import DeconvRectifier, GuidedRectifier, go_back, rectifiers
from cnncli.inspection.proxies import LayerProxy

Array = NDArray[Any]

NO_RECTIFIER = "there is no rectifier (relu) on the way to the target: this is the gradient"


@dataclass(frozen=True)
class Guided:
    """The gradient, of which every rectifier lets through only what is positive and met a positive input:
    dx = dy * (x > 0) * (dy > 0) (Springenberg et al. 2015, "Striving for simplicity")."""

    name: ClassVar[str] = "guided"

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        return _stopped_by(GuidedRectifier, executor, x, target)


@dataclass(frozen=True)
class Deconvnet:
    """The gradient, of which every rectifier lets through what is positive, whatever its input was:
    dx = max(dy, 0) (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks")."""

    name: ClassVar[str] = "deconvnet"

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        return _stopped_by(DeconvRectifier, executor, x, target)


def _stopped_by(rule: type[LayerProxy], executor: Executor, x: Array, target: Target) -> Attribution:
    nodes = rectifiers(executor.model.graph, target.at)
    rules = {node.name: rule(node.layer) for node in nodes}
    notes = () if nodes else (NO_RECTIFIER,)
    return Attribution(go_back(executor, rules, x, target.objective), signed=True, notes=notes)
