"""Ours and Captum's: the numbers were written by make_reference.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnncli.engine import Executor
from cnncli.inspection.attribution.cam import GradCam
from cnncli.inspection.attribution.guided import Deconvnet, Guided
from cnncli.inspection.attribution.integrated import IntegratedGradients
from cnncli.inspection.attribution.lrp import Lrp
from cnncli.inspection.attribution.method import Method
from cnncli.inspection.attribution.occlusion import Occlusion
from cnncli.inspection.attribution.saliency import Gradient, InputTimesGradient, SmoothGrad
from tests.inspection.attribution.networks import NETWORKS, inputs, model_of, target_of

REFERENCE = np.load(Path(__file__).with_name("reference.npz"))
CAM_LAYERS = {"lenet": "conv2", "resnet": "conv3", "batch-norm": "norm1"}
TOLERANCES = {"float64": 1e-10, "float32": 1e-5}
"""Of the largest magnitude."""
CAPTUMS = {"occlusion": 1e-7, "integrated-gradients": 1e-8, "lrp-epsilon": 1e-8}
"""How far Captum itself is off: it rounds the first to single precision, and the steps of the second; the third it
lets lose an epsilon in max pooling too."""


def method_of(network: str, name: str) -> Method:
    methods: dict[str, Method] = {
        "gradient": Gradient(),
        "input-x-gradient": InputTimesGradient(),
        "integrated-gradients": IntegratedGradients(steps=50),
        "occlusion": Occlusion(window=4, stride=2),
        "grad-cam": GradCam(layer=CAM_LAYERS[network]),
        "grad-cam-signed": GradCam(layer=CAM_LAYERS[network], positive=False),
        "guided": Guided(),
        "deconvnet": Deconvnet(),
        "lrp-epsilon": Lrp(rule="epsilon", epsilon=1e-9),
    }
    return methods[name]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("key", REFERENCE.files)
def test_equals_captum(key: str, dtype: str) -> None:
    network, name = key.split("/")
    graph = NETWORKS[network]
    with Executor(model_of(graph, dtype)) as executor:
        ours = method_of(network, name).attribute(executor, inputs(graph, dtype=dtype), target_of(graph)).values
    expected = REFERENCE[key]
    assert ours.shape == expected.shape
    assert ours.dtype == dtype
    assert np.abs(ours - expected).max() <= max(TOLERANCES[dtype], CAPTUMS.get(name, 0)) * np.abs(expected).max()


def test_smoothgrad_without_noise_is_the_gradient() -> None:
    for network, graph in NETWORKS.items():
        with Executor(model_of(graph)) as executor:
            found = SmoothGrad(samples=4, noise=0).attribute(executor, inputs(graph), target_of(graph)).values
        np.testing.assert_allclose(found, REFERENCE[f"{network}/gradient"], rtol=1e-12, atol=1e-14)
