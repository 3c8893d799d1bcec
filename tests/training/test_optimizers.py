"""Every optimizer follows PyTorch's, with every option."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from cnncli.training import optimizers
from cnncli.training.optimizers import OPTIMIZERS, SGD, Adam

from .optimizer_cases import CASES, REFERENCE, gradient, ours, start, theirs

Array = NDArray[Any]

TOLERANCES = {"float32": 1e-6, "float64": 1e-12}
TORCH = pytest.param("torch", marks=pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed"))


def test_every_optimizer_and_every_option_is_in_the_table() -> None:
    assert {kind for kind, _ in CASES.values()} == set(OPTIMIZERS)
    for name, kind in OPTIMIZERS.items():
        covered = {option for case, options in CASES.values() if case == name for option in options}
        left = set(kind.model_fields) - covered - {"weight_decay"}
        assert left <= {"lr", "eps", "betas"}, f"{name}: {left} in no case"


@pytest.mark.parametrize("source", ["stored", TORCH])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_two_hundred_steps_are_pytorchs(name: str, dtype: str, source: str) -> None:
    expected = theirs(name, dtype) if source == "torch" else np.load(REFERENCE)[f"{dtype}/{name}"]
    tolerance = TOLERANCES[dtype]
    np.testing.assert_allclose(ours(name, dtype), expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_pytorchs(name: str) -> None:
    import torch

    from .optimizer_cases import TORCH_NAMES

    defaults = getattr(torch.optim, TORCH_NAMES[name])([torch.zeros(1)]).defaults
    for option, value in OPTIMIZERS[name]().model_dump().items():
        assert value == defaults[option], option


@pytest.mark.parametrize("name", CASES)
def test_chunks_do_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ours(name, "float32")
    monkeypatch.setattr(optimizers, "CHUNK", 7)
    assert np.array_equal(ours(name, "float32"), whole)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_left_alone_and_state_is_changed_in_place(name: str) -> None:
    kind, options = CASES[name]
    optimizer = OPTIMIZERS[kind](**options)
    parameters = start()
    given_gradient = gradient(parameters, 1)
    before, state = given_gradient.copy(), optimizer.new_state(parameters)
    arrays = {slot: id(array) for slot, array in state.items()}
    assert tuple(state) == optimizer.slots()
    for step in (1, 2):
        optimizer.update(parameters, given_gradient, state, step)
    assert np.array_equal(given_gradient, before)
    assert {slot: id(array) for slot, array in state.items()} == arrays
    assert all(array.any() and array.dtype == parameters.dtype for array in state.values())
    assert not np.array_equal(parameters, start())


@pytest.mark.parametrize("name", CASES)
@given(lr=st.floats(1e-5, 0.1))
@settings(deadline=None, max_examples=5)
def test_the_rate_can_be_given_for_each_step(name: str, lr: float) -> None:
    kind, options = CASES[name]
    fixed, scheduled = OPTIMIZERS[kind](**{**options, "lr": lr}), OPTIMIZERS[kind](**options)
    results = []
    for optimizer, rate in ((fixed, None), (scheduled, lr)):
        parameters = start()
        state = optimizer.new_state(parameters)
        for step in (1, 2, 3):
            optimizer.update(parameters, gradient(parameters, step), state, step, lr=rate)
        results.append(parameters)
    assert np.array_equal(*results)


def test_rounding_of_the_centered_variance_is_harmless() -> None:
    """With an unchanging gradient the variance is 0, and its computed value may be just below."""
    optimizer = OPTIMIZERS["rmsprop"](centered=True, alpha=0.5, eps=1e-3)
    parameters = start().astype(np.float32)
    state = optimizer.new_state(parameters)
    for step in range(1, 60):
        optimizer.update(parameters, np.full_like(parameters, 0.3), state, step)
    assert np.isfinite(parameters).all()


def test_an_empty_model_is_no_problem() -> None:
    empty = np.empty(0, np.float32)
    Adam().update(empty, empty, Adam().new_state(empty), 1)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("sgd", {"lr": -1}, "greater than or equal to 0"),
        ("sgd", {"lr": float("nan")}, "finite number"),
        ("sgd", {"nesterov": True}, "nesterov needs a momentum above 0 and a dampening of 0, but they are 0 and 0;"),
        ("sgd", {"nesterov": True, "momentum": 0.9, "dampening": 0.5}, "but they are 0.9 and 0.5; set momentum: 0.9"),
        ("rmsprop", {"alpha": 1}, "less than 1"),
        ("adam", {"betas": (0.9, 1.0)}, "less than 1"),
        ("adam", {"betas": (0.9,)}, "Field required"),
        ("adamw", {"weight_decay": -0.1}, "greater than or equal to 0"),
        ("adamw", {"momentum": 0.9}, "Extra inputs are not permitted"),
    ],
)
def test_bad_options(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OPTIMIZERS[kind](**options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_option_is_described(name: str) -> None:
    fields = OPTIMIZERS[name].model_fields
    assert all(field.description for field in fields.values()), [key for key in fields if not fields[key].description]


def test_they_are_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SGD().lr = 1.0  # type: ignore[misc]
