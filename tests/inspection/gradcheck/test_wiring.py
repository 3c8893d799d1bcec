"""Layers that are right, in an engine that joins them wrongly: the whole network's check finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from numpy.typing import NDArray

from cnncli.engine import walk
from cnncli.engine.objective import LossObjective
from cnncli.engine.plan import Step
from cnncli.graph import INPUT, build
from cnncli.inspection.gradcheck import Verdict
from cnncli.layers import LAYERS
from cnncli.layers.run import Run
from tests.inspection.gradcheck.networks import chain, check, rewired, row, small_net, with_stand

Array = NDArray[Any]


def test_sums_over_several_readers_that_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(pending: dict[str, Any], name: str, dx: Array, fresh: bool, run: Run) -> None:
        pending[name] = (dx, fresh)

    layers = [("stem", LAYERS["linear"](out_features=4), (INPUT,)), ("bend", LAYERS["tanh"](), ("stem",))]
    graph = build((4,), [*layers, ("sum", LAYERS["add"](), ("stem", "bend"))])
    monkeypatch.setattr(walk, "_add", overwrite)
    report = check(graph)
    assert {found.verdict for found in report.tensors if found.level == "layer"} == {Verdict.PASS}
    failed = row(report, "stem", "weight", "network")
    assert failed.verdict is Verdict.FAIL
    assert str(failed.hint).startswith("what reaches it is wrong, though each layer alone is right")


def test_memory_that_is_overwritten_too_early() -> None:
    def forward(own: Callable[..., Any], params: Any, xs: tuple[Array, ...], run: Run) -> Any:
        y, cache = own(params, xs, run)
        return (y * 2 if run.owned[0] else y), cache

    graph = chain((4,), ("linear", {"out_features": 4}), ("relu", {}), ("linear", {"out_features": 2}))
    report = check(with_stand(graph, "relu1", forward=forward))
    found = row(report, "linear2", "output", "network")
    assert found.verdict is Verdict.FAIL
    assert "something is overwritten too early" in str(found.hint)


def greedy(step: Step) -> Step:
    """Every layer may write over its inputs, whoever still reads them."""
    return replace(step, owned=tuple(name != INPUT for name in step.node.inputs))


def test_an_executor_that_writes_over_what_backward_still_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [("linear", {"out_features": 4}), ("softmax", {}), ("tanh", {}), ("linear", {"out_features": 2})]
    graph = chain((4,), *layers)
    assert check(graph).verdict is Verdict.PASS
    rewired(monkeypatch, greedy)
    report = check(graph)
    assert {found.verdict for found in report.tensors if found.level == "layer"} == {Verdict.PASS}
    failed = [found for found in report.tensors if found.verdict is Verdict.FAIL]
    names = [("linear0", "weight"), ("linear0", "bias"), (INPUT, INPUT)]  # all that lies before the softmax
    assert [(found.node, found.tensor) for found in failed] == names
    for found in failed:
        assert str(found.hint).startswith("what reaches it is wrong, though each layer alone is right")


def test_an_executor_that_writes_over_what_forward_still_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [("stem", LAYERS["linear"](out_features=4), (INPUT,)), ("bend", LAYERS["tanh"](), ("stem",))]
    graph = build((4,), [*layers, ("sum", LAYERS["add"](), ("stem", "bend"))])
    rewired(monkeypatch, greedy)
    report = check(graph)
    assert {found.verdict for found in report.tensors if found.level == "layer"} == {Verdict.PASS}
    found = row(report, "sum", "output", "network")
    assert found.verdict is Verdict.FAIL
    assert "something is overwritten too early" in str(found.hint)


def test_memory_that_is_read_before_it_is_written() -> None:
    def backward(own: Callable[..., Any], params: Any, cache: Any, dy: Array, run: Run) -> Any:
        (dx,), gradients = own(params, cache, dy, run)
        fresh = run.empty(dx.shape, dx.dtype)
        fresh[1:] = dx[1:]
        return (fresh,), gradients

    found = row(check(with_stand(small_net(), "linear4", backward=backward), layers=["linear4"]), "linear4", INPUT)
    assert (found.verdict, found.hint) == (Verdict.FAIL, "it is not finite")


def test_a_mean_that_is_missing_in_the_engine_is_no_layers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = LossObjective.evaluate
    monkeypatch.setattr(
        LossObjective,
        "evaluate",
        lambda self, y, samples: (evaluate(self, y, samples)[0], 3 * evaluate(self, y, samples)[1]),
    )
    report = check(chain((5,), ("linear", {"out_features": 4})))
    assert {found.verdict for found in report.tensors if found.level == "layer"} == {Verdict.PASS}
    hints = {found.hint for found in report.tensors if found.level == "network"}
    assert hints == {
        "what reaches it is wrong, though each layer alone is right: "
        "3 times the true gradient: the mean over the 3 samples is missing"
    }
