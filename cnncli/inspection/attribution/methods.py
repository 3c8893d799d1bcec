"""Every method, by its name."""

from __future__ import annotations

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

METHODS: dict[str, type[Method]] = {kind.name: kind for kind in _KINDS}
