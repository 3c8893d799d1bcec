"""A network small enough to be worked out by hand, and what other implementations publish for it: to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor
from cnncli.graph import Model
from cnncli.inspection.attribution.cam import GradCam
from cnncli.inspection.attribution.guided import Deconvnet, Guided
from cnncli.inspection.attribution.lrp import Lrp
from cnncli.inspection.attribution.method import Attribution, Method, Target
from tests.inspection.attribution.networks import network

GRAPH = network(
    (1, 4, 4),
    [
        ("conv1", "conv2d", {"out_channels": 2, "kernel_size": 3}),
        ("relu1", "relu", {}),
        ("flatten", "flatten", {}),
        ("dense", "linear", {"out_features": 4, "bias": False}),
        ("relu2", "relu", {}),
    ],
)
X = np.arange(16.0).reshape(1, 1, 4, 4)


def attribute(method: Method, at: str = "relu2", dtype: str = "float64") -> Attribution:
    model = Model.create(GRAPH, dtype=dtype)
    model.parameters["conv1"]["weight"][...] = 1
    model.parameters["conv1"]["bias"][...] = -50, -75
    model.parameters["dense"]["weight"][...] = [1] * 5 + [-1] * 3
    with Executor(model, workers=1) as executor:
        target = Target(at, np.array([[0]]))
        assert target.infer(executor, X.astype(dtype)).tolist() == [54]
        return method.attribute(executor, X.astype(dtype), target)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", ["dense", "relu2"])
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Guided(), [[0, 1, 1, 1], [1, 3, 3, 2], [1, 3, 3, 2], [1, 2, 2, 1]]),
        (Deconvnet(), [[2, 3, 3, 1], [3, 5, 5, 2], [3, 5, 5, 2], [1, 2, 2, 1]]),
        (Lrp("epsilon", epsilon=0), [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11], [0, 0, 0, 0]]),
    ],
    ids=["guided", "deconvnet", "lrp"],
)
def test_of_the_input(method: Method, expected: list[list[float]], at: str, dtype: str) -> None:
    assert attribute(method, at, dtype).values[0, 0].tolist() == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "expected"),
    [("conv1", [[11.25, 13.5], [20.25, 22.5]]), ("relu1", [[0, 4], [28, 32.5]])],
)
def test_grad_cam_before_the_last_relu(layer: str, expected: list[list[float]], dtype: str) -> None:
    for positive in (True, False):
        assert attribute(GradCam(layer=layer, positive=positive), "dense", dtype).values[0].tolist() == expected


def test_relevance_is_the_logit_again() -> None:
    found = attribute(Lrp("epsilon", epsilon=0))
    (check,) = found.checks
    assert found.values.sum() == check.left[0] == check.right[0] == 54
