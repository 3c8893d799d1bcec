"""The proof that the gradients are right, and the proof that the check would notice if they were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Unpack

from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, Labels, known_targets, shown_some
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.data.inputs import Input
from cnncli.inspection import gradcheck as checker
from cnncli.inspection.gradcheck import GradcheckReport, Progress, SelfTestReport

SAMPLES = 3


@dataclass(frozen=True)
class Gradcheck(GradcheckReport):
    """With the names of the inputs on which it was made."""

    inputs: tuple[str, ...]


@dataclass(frozen=True)
class SelfTest(SelfTestReport):
    """With the names of the inputs on which it was made."""

    inputs: tuple[str, ...]


def gradcheck(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    samples: int = SAMPLES,
    layer: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> Gradcheck:
    """Compares what backward computes with what forward passes say: every layer alone, the loss, the whole network.

    On the given inputs; else on the first `samples` training samples; else, where there is no data, on random
    numbers. `layer` leaves the others out; `seed` is that of the random directions. It is computed in float64.

    Raises what `load` does, UsageError, DataError.
    """
    session = resolve(network, options)
    given, targets = _with_targets(session, input, label, samples)
    loss = session.experiment.loss
    report = checker.gradcheck(session.model, given.x, targets, loss, layers=layer, seed=seed, progress=progress)
    return Gradcheck(**_values(report), inputs=given.names)


def self_test(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> SelfTest:
    """Plants errors in the network's gradients, one after the other, and sees whether `gradcheck` finds each.

    The arguments are those of `gradcheck`.
    """
    session = resolve(network, options)
    given, targets = _with_targets(session, input, label, samples)
    report = checker.self_test(session.model, given.x, targets, session.experiment.loss, seed=seed, progress=progress)
    return SelfTest(**_values(report), inputs=given.names)


def _with_targets(session: Session, input: Inputs | None, label: Labels, samples: int) -> tuple[Input, NDArray[Any]]:
    given = shown_some(session, input, label, samples)
    return given, known_targets(given, "give --label CLASS")


def _values(report: GradcheckReport | SelfTestReport) -> dict[str, Any]:
    return {field.name: getattr(report, field.name) for field in fields(report)}
