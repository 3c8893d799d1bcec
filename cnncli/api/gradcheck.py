"""The proof that the gradients are right, and the proof that the check would notice if they were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Unpack

from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, Labels, known_targets, shown_some
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.data.inputs import Input
from cnncli.inspection import gradcheck as checker
from cnncli.inspection.gradcheck import GradcheckReport, Mapped, Progress, SelfTestReport
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board

SAMPLES = 3
TOP = 16
"""Of so many filters or channels the errors are drawn."""


@dataclass(frozen=True)
class Gradcheck(GradcheckReport):
    """With the names of the inputs on which it was made, and whether the targets are made up."""

    inputs: tuple[str, ...]
    random_targets: bool


@dataclass(frozen=True)
class SelfTest(SelfTestReport):
    """With the names of the inputs on which it was made, and whether the targets are made up."""

    inputs: tuple[str, ...]
    random_targets: bool


def gradcheck(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    label: Labels = (),
    samples: int = SAMPLES,
    layer: Sequence[str] = (),
    seed: int = 0,
    mapped: Mapped = "failed",
    progress: Progress | None = None,
    **options: Unpack[SessionOptions],
) -> Gradcheck:
    """Compares what backward computes with what forward passes say: every layer alone, the loss, the whole network.

    On the given inputs; else on the first `samples` training samples; else, where there is no data, on random
    numbers. Inputs without a label get random targets: any will do. `layer` leaves the others out; `seed` is that of
    the random directions; `mapped` says of which tensors there is a map of the error, element by element: "failed",
    "all" or "none". It is computed in float64.

    Raises what `load` does, UsageError, DataError.
    """
    session = resolve(network, options)
    given, targets = _with_targets(session, input, label, samples)
    report = checker.gradcheck(
        session.model,
        given.x,
        targets,
        session.experiment.loss,
        layers=layer,
        seed=seed,
        mapped=mapped,
        progress=progress,
    )
    return Gradcheck(**_values(report), inputs=given.names, random_targets=_are_random(given))


def error_maps(report: Gradcheck, network: Session, top: int = TOP) -> Board:
    """The report's maps as pictures: what backward says, what is true, and the difference, of the `top` channels or
    filters of each tensor where the error is largest."""
    return checker.board(report, network.graph, _shown(report), top)


def brief_error_maps(report: Gradcheck, network: Session) -> Board:
    """As many of them as fit beside the report in a terminal."""
    return checker.brief(report, network.graph, _shown(report))


def _shown(report: Gradcheck) -> Subject:
    return Subject(", ".join(dict.fromkeys(report.inputs)), samples=len(report.inputs))


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
    return SelfTest(**_values(report), inputs=given.names, random_targets=_are_random(given))


def _with_targets(session: Session, input: Inputs | None, label: Labels, samples: int) -> tuple[Input, NDArray[Any]]:
    """The inputs, and their targets; where these are not known, those that stand in where there is no data at all."""
    given = shown_some(session, input, label, samples)
    if given.targets is not None:
        return given, given.targets
    without_data = replace(session, experiment=replace(session.experiment, data=None))
    return given, known_targets(session, shown_some(without_data, None, (), len(given.x)))


def _are_random(given: Input) -> bool:
    """Whether there are no targets but such as were made up."""
    return given.made_up or given.targets is None


def _values(report: GradcheckReport | SelfTestReport) -> dict[str, Any]:
    return {field.name: getattr(report, field.name) for field in fields(report)}
