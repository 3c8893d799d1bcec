"""Errors planted on purpose: a check that does not find them proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from numpy.typing import NDArray

from cnncli.graph import INPUT, Model
from cnncli.inspection.gradcheck.check import LOSS, Progress, gradcheck
from cnncli.inspection.gradcheck.faults import FAULTS, Fault, FaultyLayer
from cnncli.inspection.gradcheck.report import GradcheckReport, full_name
from cnncli.inspection.gradcheck.verdicts import Verdict
from cnncli.inspection.proxies import with_layers
from cnncli.losses import Loss

Array = NDArray[Any]

MISSING_MEAN = "mean over the samples missing"
"""The fault of the loss."""


@dataclass(frozen=True)
class Attempt:
    """What the check said of the tensor whose gradient was spoilt."""

    error: str
    node: str
    tensor: str
    caught: bool
    verdict: Verdict
    relative_error: float | None
    hint: str | None

    @property
    def name(self) -> str:
        """Of the tensor: conv1.weight."""
        return full_name(self.node, self.tensor)


@dataclass(frozen=True)
class SelfTestReport:
    """PASS if every error was found, and `sound`, the verdict on the network without errors, is PASS.

    `absent` are the errors that this network has no place for, or where they make no difference.
    """

    verdict: Verdict
    sound: Verdict
    attempts: tuple[Attempt, ...]
    absent: tuple[str, ...]


def self_test(
    model: Model, x: Array, targets: Array, loss: Loss, *, seed: int = 0, progress: Progress | None = None
) -> SelfTestReport:
    """Plants each error in the first layer where it makes a difference, and checks that layer.

    The arguments are gradcheck's.
    """
    tester = _Tester(model, x, targets, loss, seed)

    def tell(name: str, done: int) -> None:
        if progress is not None:
            progress(name, done, len(FAULTS) + 2)

    tell("no error", 0)
    sound = gradcheck(model, x, targets, loss, seed=seed).verdict
    found: dict[str, Attempt | None] = {}
    for done, fault in enumerate(FAULTS, 1):
        tell(fault.name, done)
        found[fault.name] = tester.planted(fault)
    tell(MISSING_MEAN, len(FAULTS) + 1)
    found[MISSING_MEAN] = tester.without_mean()
    attempts = tuple(attempt for attempt in found.values() if attempt is not None)
    good = sound is Verdict.PASS and all(attempt.caught for attempt in attempts)
    absent = tuple(name for name, attempt in found.items() if attempt is None)
    return SelfTestReport(Verdict.PASS if good else Verdict.FAIL, sound, attempts, absent)


@dataclass(frozen=True, eq=False)
class _Tester:
    """Plants errors; None where that makes no difference."""

    model: Model
    x: Array
    targets: Array
    loss: Loss
    seed: int

    def planted(self, fault: Fault) -> Attempt | None:
        for node in self.model.graph.nodes:
            if not fault.fits(node, self.model.parameters.get(node.name, {})):
                continue
            faulty = FaultyLayer(node.layer, fault)
            report = self._check(with_layers(self.model, {node.name: faulty}), self.loss, node.name)
            if faulty.differs:
                return _attempt(fault.name, report, node.name, fault.tensor)
        return None

    def without_mean(self) -> Attempt | None:
        """In the loss: its gradient is of the sum over the samples where it should be of their mean."""
        samples = len(self.x)
        if samples == 1:
            return None
        faulty = cast(Loss, _SummedLoss(self.loss, samples))
        return _attempt(MISSING_MEAN, self._check(self.model, faulty, LOSS), LOSS, INPUT)

    def _check(self, model: Model, loss: Loss, node: str) -> GradcheckReport:
        return gradcheck(model, self.x, self.targets, loss, layers=[node], seed=self.seed)


class _SummedLoss:
    """Stands in for a loss."""

    def __init__(self, loss: Loss, samples: int) -> None:
        self._loss = loss
        self._samples = samples

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loss, name)

    def backward(self, cache: Any) -> Array:
        return self._loss.backward(cache) * self._samples


def _attempt(error: str, report: GradcheckReport, node: str, tensor: str) -> Attempt:
    found = next(check for check in report.tensors if (check.node, check.tensor) == (node, tensor))
    return Attempt(error, node, tensor, found.verdict is Verdict.FAIL, found.verdict, found.relative_error, found.hint)
