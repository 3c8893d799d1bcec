"""Why a network decides as it does: attributions of one number of its output to its input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from cnncli.api.inputs import Inputs, shown
from cnncli.api.session import Network, Session, SessionOptions, resolve
from cnncli.api.targets import explained
from cnncli.data.inputs import Input
from cnncli.engine import Executor
from cnncli.errors import UsageError
from cnncli.inspection.attribution.cam import CamName, GradCam
from cnncli.inspection.attribution.integrated import Baseline, IntegratedGradients
from cnncli.inspection.attribution.lrp import ALPHA, EPSILON, Lrp, RuleName
from cnncli.inspection.attribution.method import Method, Target
from cnncli.inspection.attribution.methods import METHODS
from cnncli.inspection.attribution.occlusion import Occlusion
from cnncli.inspection.attribution.sanity import sanity as redrawn
from cnncli.inspection.options import among
from cnncli.inspection.progress import Progress, silent
from cnncli.inspection.samples import require_finite
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.attribution import AttributionBoard, attribution_board
from cnncli.inspection.views.gates import GatesBoard, gates_board
from cnncli.inspection.views.pick import STRONGEST, Pick

Array = NDArray[Any]

Saliency = Literal["gradient", "input-x-gradient", "smoothgrad"]
Backpropagation = Literal["guided", "deconvnet"]


def saliency(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    method: Saliency = "gradient",
    samples: int | None = None,
    noise: float | None = None,
    seed: int = 0,
    sanity: bool = False,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> AttributionBoard:
    """The gradient of the target with respect to the input: plain, times the input, or smoothed.

    `samples`, `noise` and `seed` are SmoothGrad's. What all these functions share: `input` is one or several, by
    default the first sample of the data; `target` is a class (or the place of a number of the output, as "3,0,5"),
    by default the one that each input is taken for, and what is explained is its logit; `sanity` draws the weights
    anew from the output down and compares; `progress` is told how much is done.

    Raises what `load` does, UsageError, DataError.
    """
    among("--method", method, get_args(Saliency))
    known: dict[str, Any] = {"samples": samples, "noise": noise}
    given = {name: value for name, value in known.items() if value is not None}
    if method == "smoothgrad":
        given |= {"seed": seed, "progress": silent if sanity else progress}
    elif given:
        raise UsageError(
            f"--samples and --noise are smoothgrad's; add --method smoothgrad, or leave them out of {method}"
        )
    chosen = METHODS[method](**given)
    return _explain(resolve(network, options), "saliency", chosen, input, target, sanity, progress)


def integrated_gradients(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    steps: int = 50,
    baseline: Baseline = "zeros",
    sanity: bool = False,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> AttributionBoard:
    """What each number of the input adds to the target on the way from a baseline; see `saliency`."""
    method = IntegratedGradients(steps, baseline, silent if sanity else progress)
    return _explain(resolve(network, options), "integrated-gradients", method, input, target, sanity, progress)


def occlusion(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    window: int | None = None,
    stride: int | None = None,
    value: float = 0.0,
    sanity: bool = False,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> AttributionBoard:
    """What the target loses as a window that covers a part of the input moves over it; see `saliency`."""
    method = Occlusion(window, stride, value, silent if sanity else progress)
    return _explain(resolve(network, options), "occlusion", method, input, target, sanity, progress)


def grad_cam(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    method: CamName = "grad-cam",
    layer: str | None = None,
    sanity: bool = False,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> AttributionBoard:
    """Where a layer, by default the last with positions, finds the class; see `saliency`."""
    chosen = GradCam(method, layer)
    return _explain(resolve(network, options), "grad-cam", chosen, input, target, sanity, progress, method)


def guided(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    method: Backpropagation = "guided",
    sanity: bool = False,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> AttributionBoard:
    """The gradient, of which rectifiers let through only what is positive; see `saliency`."""
    among("--method", method, get_args(Backpropagation))
    return _explain(resolve(network, options), "guided", METHODS[method](), input, target, sanity, progress)


def gates(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    pick: Pick = STRONGEST,
    **options: Unpack[SessionOptions],
) -> GatesBoard:
    """Which rectifier blocks what of the gradient, of one input; see `saliency`. `pick` says which are drawn."""
    session = resolve(network, options)
    given = shown(session, input)
    if len(given.x) > 1:
        raise UsageError(f"gates are drawn of one input, and {len(given.x)} were given")
    with session.executor() as executor, np.errstate(all="ignore"):
        x, chosen, (subject,), _ = _read(session, executor, given, target)
        return gates_board(executor, x, chosen, subject, pick)


def lrp(
    network: Network | None = None,
    *,
    input: Inputs | None = None,
    target: str | int | None = None,
    rule: RuleName = "epsilon",
    epsilon: float | None = None,
    alpha: float | None = None,
    sanity: bool = False,
    progress: Progress = silent,
    **options: Unpack[SessionOptions],
) -> AttributionBoard:
    """The relevance that each layer hands back to its inputs, until the image has it; see `saliency`.

    `epsilon` is that of the rule "epsilon", `alpha` that of "alpha-beta".
    """
    for name, value, its in (("epsilon", epsilon, "epsilon"), ("alpha", alpha, "alpha-beta")):
        if value is not None and rule != its:
            raise UsageError(f"--{name} is the rule {its}'s; add --rule {its}, or leave it out")
    chosen = Lrp(rule, EPSILON if epsilon is None else epsilon, ALPHA if alpha is None else alpha)
    return _explain(resolve(network, options), "lrp", chosen, input, target, sanity, progress, f"lrp-{rule}")


def _explain(
    session: Session,
    view: str,
    method: Method,
    inputs: Inputs | None,
    wanted: str | int | None,
    sanity: bool,
    progress: Progress,
    name: str | None = None,
) -> AttributionBoard:
    given = shown(session, inputs)
    with session.executor() as executor, np.errstate(all="ignore"):
        x, target, subjects, outputs = _read(session, executor, given, wanted)
        found = method.attribute(executor, x, target)
        seed = session.experiment.seed + 1
        steps = redrawn(method, executor, x, target, found.values, seed=seed, progress=progress) if sanity else ()
    return attribution_board(view, name or method.name, found, subjects, outputs, session.graph, steps)


def _read(
    session: Session, executor: Executor, given: Input, wanted: str | int | None
) -> tuple[Array, Target, tuple[Subject, ...], Array]:
    """The inputs as the network takes them, and what is explained of them: as `explained` has it."""
    x = given.x.astype(session.model.flat.dtype)
    require_finite(x, given.names)
    return x, *explained(session, executor, replace(given, x=x), wanted)
