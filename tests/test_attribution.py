"""The attributions as functions: what is explained where nothing is said, and what cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.api.attribution import gates
from cnncli.errors import DataError, UsageError
from cnncli.inspection.views.attribution import AttributionBoard

CONV = {"type": "conv2d", "name": "conv", "out_channels": 2, "kernel_size": 3, "padding": 1}


def config(*layers: Any, shape: tuple[int, ...] = (1, 6, 6), **more: Any) -> dict[str, Any]:
    return {"name": "tiny", "model": {"input": list(shape), "layers": list(layers)}, **more}


def linear(outputs: int, **more: Any) -> dict[str, Any]:
    return {"type": "linear", "name": "out", "out_features": outputs, **more}


CLASSES = config(CONV, "relu", "flatten", linear(3), "softmax")
BINARY = config(CONV, "relu", "flatten", linear(1), loss="bce_with_logits")
REGRESSION = config(CONV, "relu", "flatten", linear(3), loss="mse")
ONE_NUMBER = config(CONV, "relu", "flatten", linear(1), loss="mse")
DENSE = config(CONV, {"type": "conv2d", "name": "out", "out_channels": 4, "kernel_size": 1}, loss="mse")
EVERY: dict[str, Any] = {
    "saliency": cnncli.saliency,
    "smoothgrad": lambda *given, **options: cnncli.saliency(*given, method="smoothgrad", samples=3, **options),
    "integrated-gradients": cnncli.integrated_gradients,
    "occlusion": cnncli.occlusion,
    "grad-cam": cnncli.grad_cam,
    "guided": cnncli.guided,
    "lrp": cnncli.lrp,
}
each = pytest.mark.parametrize("function", EVERY.values(), ids=EVERY)


@pytest.fixture
def x(tmp_path: Any) -> str:
    path = str(tmp_path / "x.npy")
    np.save(path, np.random.default_rng(4).standard_normal((2, 1, 6, 6)))
    return path


def logits(network: Any, x: str) -> np.ndarray:
    session = cnncli.load(network)
    with session.executor() as executor:
        return executor.infer(np.load(x), at="out")


@each
def test_the_logit_of_the_predicted_class_is_explained(function: Any, x: str) -> None:
    """Never the probability: the gradient of that vanishes where the network is certain."""
    found: AttributionBoard = function(CLASSES, input=x)
    values = logits(CLASSES, x)
    for each_input, row, number in zip(found.inputs, found.sheets[0].rows, values, strict=True):
        shares = np.exp(number) / np.exp(number).sum()
        best = int(number.argmax())
        assert each_input.target == f"logit of class {best} = {number[best]:.4g} ({shares[best]:.1%})"
        assert each_input.predicted == f"{best} ({shares[best]:.1%})"
        assert each_input.true is None
        assert any(each_input.target in part for part in row.title)


@each
def test_another_class(function: Any, x: str) -> None:
    found = function(CLASSES, input=x, target=1)
    for each_input, number in zip(found.inputs, logits(CLASSES, x), strict=True):
        assert each_input.target.startswith(f"logit of class 1 = {number[1]:.4g}")
    with pytest.raises(UsageError, match="--target 3: no such class"):
        function(CLASSES, input=x, target="3")


def test_it_is_the_gradient_of_that_logit(x: str) -> None:
    found = cnncli.saliency(CLASSES, input=x, target="2", dtype="float64")
    (row,) = [
        row for row in cnncli.backward(CLASSES, input=x, target="2", dtype="float64").view.layers if row.name == "input"
    ]
    assert found.values is not None
    assert row.statistics.norm == pytest.approx(np.linalg.norm(found.values))


def test_one_output_for_two_classes(x: str) -> None:
    found = cnncli.saliency(BINARY, input=x)
    for each_input, (number,) in zip(found.inputs, logits(BINARY, x), strict=True):
        share = 1 / (1 + np.exp(-number))
        assert each_input.target == f"logit of class 1 = {number:.4g} ({share:.1%})"
    assert cnncli.saliency(BINARY, input=x, target=1).inputs == found.inputs
    with pytest.raises(UsageError, match=r"--target 0: the only output is the logit of class 1; its negative numbers"):
        cnncli.saliency(BINARY, input=x, target=0)


def test_outputs_that_are_no_classes(x: str) -> None:
    with pytest.raises(UsageError, match=r"the output has the shape \(3,\) .* --target 0 to --target 2"):
        cnncli.saliency(REGRESSION, input=x)
    assert cnncli.saliency(REGRESSION, input=x, target=2).inputs[0].predicted is None
    assert cnncli.saliency(ONE_NUMBER, input=x).inputs[0].target.startswith("the output = ")


def test_dense_outputs(x: str) -> None:
    with pytest.raises(UsageError, match=r"\(4, 6, 6\) .* --target 0,0,0 to --target 3,5,5"):
        cnncli.saliency(DENSE, input=x)
    found = cnncli.saliency(DENSE, input=x, target="3,0,5")
    value = logits(DENSE, x)[0, 3, 0, 5]
    assert found.inputs[0].target == f"out[3,0,5] = {value:.4g}"
    assert found.values is not None
    seen = np.zeros((6, 6), bool)
    seen[:2, 4:] = True  # what a 3x3 window sees of the corner
    assert not found.values[0, 0][~seen].any()
    assert found.values[0, 0][seen].all()


def test_without_data_nothing_is_said_to_be_true() -> None:
    (found,) = cnncli.saliency(CLASSES).inputs
    assert found.true is None
    assert found.input.startswith("random numbers")


def test_a_mistake_in_an_option_of_another_method() -> None:
    with pytest.raises(UsageError, match="--samples and --noise are smoothgrad's"):
        cnncli.saliency(CLASSES, noise=0.1)
    with pytest.raises(UsageError, match="--method gradiant: expected gradient, input-x-gradient or smoothgrad"):
        cnncli.saliency(CLASSES, method="gradiant")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--method gates: expected guided or deconvnet"):
        cnncli.guided(CLASSES, method="gates")  # type: ignore[arg-type]


@each
@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
def test_inputs_that_explain_nothing(function: Any, number: float, tmp_path: Any) -> None:
    """1e300 is too large for single precision."""
    x = np.zeros((1, 6, 6))
    x[0, 1:3, 2] = number
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(DataError, match=r"x.npy: 2 of 36 numbers are NaN or infinite"):
        function(CLASSES, input=tmp_path / "x.npy")


@each
@pytest.mark.parametrize(("node", "key"), [("conv", "weight"), ("out", "bias")])
def test_weights_that_are_not_finite(function: Any, node: str, key: str, x: str) -> None:
    """A gradient may be finite where the output is not."""
    session = cnncli.load(CLASSES)
    session.model.parameters[node][key].flat[0] = np.nan
    found = function(session, input=x)
    assert [place for place in found.nonfinite if "explained" in place] == [
        f"what is explained of {x}[{index}]" for index in range(2)
    ]


@each
def test_sanity(function: Any, x: str) -> None:
    told: list[tuple[int, int]] = []
    found: AttributionBoard = function(CLASSES, input=x, sanity=True, progress=lambda *at: told.append(at))
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert [step.node for step in found.sanity] == ["out", "conv"]
    assert all(len(step.correlations) == 2 for step in found.sanity)
    assert len(found.sheets) == 1 + 2


@pytest.mark.parametrize("name", ["smoothgrad", "integrated-gradients", "occlusion"])
def test_what_takes_long_tells_how_far_it_is(name: str, x: str) -> None:
    told: list[tuple[int, int]] = []
    EVERY[name](CLASSES, input=x, progress=lambda *at: told.append(at))
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 0


def test_inputs_of_many_channels_and_of_no_pixels() -> None:
    many = config(CONV, "relu", "flatten", linear(3), shape=(2048, 2, 2))
    flat = config(linear(3), shape=(5,))
    for function in (cnncli.saliency, cnncli.integrated_gradients, cnncli.occlusion, cnncli.lrp, cnncli.guided):
        assert function(many).sheets[0].rows[0].tiles[0].values.shape == (2, 2)
        assert function(flat).sheets[0].rows[0].tiles[1].values.shape == (1, 5)
    with pytest.raises(UsageError, match="grad-cam needs a layer with channels and positions"):
        cnncli.grad_cam(flat)


def test_gates(x: str) -> None:
    session = cnncli.load(CLASSES)
    found = gates(session)
    assert [each.node for each in found.gates] == ["relu1"]
    assert found.subject.target is not None
    assert found.subject.target.startswith("logit of class")
    with pytest.raises(UsageError, match="gates are drawn of one input, and 2 were given"):
        gates(session, input=x)
