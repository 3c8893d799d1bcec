"""Every method, by its name."""

from __future__ import annotations

from collections.abc import Callable

from cnncli.inspection.attribution.cam import GradCam
from cnncli.inspection.attribution.guided import Deconvnet, Guided
from cnncli.inspection.attribution.integrated import IntegratedGradients
from cnncli.inspection.attribution.lrp import Lrp
from cnncli.inspection.attribution.method import Method
from cnncli.inspection.attribution.occlusion import Occlusion
from cnncli.inspection.attribution.saliency import Gradient, InputTimesGradient, SmoothGrad

_KINDS: tuple[type[Method], ...] = (
    Gradient,
    InputTimesGradient,
    SmoothGrad,
    IntegratedGradients,
    Occlusion,
    GradCam,
    Guided,
    Deconvnet,
    Lrp,
)

METHODS: dict[str, Callable[..., Method]] = {kind.name: kind for kind in _KINDS}
"""Given their options, as the fields are called."""
