"""What every method does, whatever it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncli.engine import Executor
from cnncli.graph import INPUT, Graph
from cnncli.inspection.attribution.method import Attribution, Method
from cnncli.inspection.attribution.methods import METHODS
from cnncli.inspection.attribution.sanity import sanity
from tests.inspection.attribution.networks import NETWORKS, inputs, model_of, network, target_of

FEW: dict[str, dict[str, Any]] = {
    "smoothgrad": {"samples": 3},
    "integrated-gradients": {"steps": 4},
}
"""Options that make the slow ones quick."""
EVERY: dict[str, Method] = {name: kind(**FEW.get(name, {})) for name, kind in METHODS.items()}

HEAD = [("flatten", "flatten", {}), ("classes", "linear", {"out_features": 3})]
CONV = ("conv", "conv2d", {"out_channels": 2, "kernel_size": 3, "padding": 1})
GRAPHS = {
    **NETWORKS,
    "1x1": network((1, 1, 1), [CONV, ("relu", "relu", {}), *HEAD]),
    "many channels": network(
        (2048, 2, 2), [("conv", "conv2d", {"out_channels": 3, "kernel_size": 1}), ("relu", "relu", {}), *HEAD]
    ),
    "flat": network((9,), [("hidden", "linear", {"out_features": 4}), ("relu", "relu", {}), HEAD[1]]),
    "lines": network((2, 5), [("norm", "batch_norm", {}), ("relu", "relu", {}), *HEAD]),
    "no rectifier": network((1, 4, 4), [CONV, ("tanh", "tanh", {}), *HEAD]),
}
NEEDS_POSITIONS = {("grad-cam", name) for name in ("1x1", "flat", "lines")}
"""Where there is nothing that a class activation map could show: told elsewhere."""
CASES = [
    pytest.param(method, graph, id=f"{name}-{key}")
    for name, method in EVERY.items()
    for key, graph in GRAPHS.items()
    if (name, key) not in NEEDS_POSITIONS
]
each_method = pytest.mark.parametrize("method", EVERY.values(), ids=EVERY)


def attribute(method: Method, graph: Graph, x: np.ndarray, dtype: str = "float64") -> Attribution:
    with Executor(model_of(graph, dtype), workers=1) as executor, np.errstate(all="ignore"):
        return method.attribute(executor, x, target_of(graph, len(x)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("method", "graph"), CASES)
def test_shapes_and_precision(method: Method, graph: Graph, dtype: str) -> None:
    x = inputs(graph, 2, dtype)
    before = x.copy()
    found = attribute(method, graph, x, dtype)
    shape = found.values.shape
    assert shape[0] == 2
    assert shape[1:] in (graph.input_shape, graph.input_shape[1:]) or (len(shape) == 3 and found.node != INPUT)
    assert found.node == INPUT or found.node in graph.by_name
    assert found.values.dtype == dtype
    assert np.isfinite(found.values).all()
    assert found.signed or found.values.min() >= 0
    for check in found.checks:
        assert check.left.shape == check.right.shape == check.residual.shape == (2,)
        assert check.formula.count(" = ") == 1
        assert check.holds or check.condition
        if check.holds and not is_approximate(method):
            assert check.residual.max() < (1e-9 if dtype == "float64" else 1e-3)
    for _, detail in found.details:
        assert len(detail) == 2
    np.testing.assert_array_equal(x, before)


def is_approximate(method: Method) -> bool:
    """By a sum for an integral, of too few terms here."""
    return method.name == "integrated-gradients"


@pytest.mark.parametrize(("method", "graph"), CASES)
def test_several_inputs_are_one_by_one(method: Method, graph: Graph) -> None:
    x = inputs(graph)
    together = attribute(method, graph, x)
    with Executor(model_of(graph), workers=1) as executor:
        target = target_of(graph)
        for index in range(len(x)):
            one = slice(index, index + 1)
            alone = method.attribute(executor, x[one], target[one])
            np.testing.assert_allclose(together.values[one], alone.values, rtol=1e-9, atol=1e-11)
            for both, single in zip(together.checks, alone.checks, strict=True):
                np.testing.assert_allclose(both.left[one], single.left, rtol=1e-9, atol=1e-11)


@each_method
@pytest.mark.parametrize("number", [0.0, 1.0, -3.5])
def test_constant_inputs(method: Method, number: float) -> None:
    graph = NETWORKS["lenet"]
    found = attribute(method, graph, np.full((1, *graph.input_shape), number))
    assert np.isfinite(found.values).all()


@each_method
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_goes_through(method: Method, number: float) -> None:
    """Without an error: whoever draws it tells. The other inputs are not touched."""
    graph = NETWORKS["lenet"]
    x = inputs(graph, 2)
    x[0, 0, 3, 3] = number
    found = attribute(method, graph, x)
    assert np.isfinite(found.values[1]).all()
    x[0] = 0
    np.testing.assert_allclose(found.values[1], attribute(method, graph, x).values[1], rtol=1e-9, atol=1e-12)


@each_method
def test_the_model_is_left_as_it_is(method: Method) -> None:
    graph = NETWORKS["resnet"]
    model = model_of(graph)
    before = {key: array.copy() for key, array in model.state_dict().items()}
    with Executor(model, workers=1) as executor:
        found = method.attribute(executor, inputs(graph), target_of(graph))
        sanity(method, executor, inputs(graph), target_of(graph), found.values, seed=1)
        again = method.attribute(executor, inputs(graph), target_of(graph))
    np.testing.assert_array_equal(found.values, again.values)  # and so it is the same every time
    for key, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


@each_method
def test_methods_are_plain_options(method: Method) -> None:
    assert method == type(method)(**FEW.get(method.name, {}))
    assert METHODS[method.name] is type(method)
    assert "(" in (type(method).__doc__ or "")  # its source


def test_the_seed_decides_on_the_noise() -> None:
    graph, kind = NETWORKS["lenet"], METHODS["smoothgrad"]
    first, same, other = (attribute(kind(samples=3, seed=seed), graph, inputs(graph)).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
