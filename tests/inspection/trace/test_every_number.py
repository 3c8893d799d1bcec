"""Every trace adds up to what the engine computes: for every layer, forward and back, alone and in networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.config import load
from cnncli.engine import LogitObjective
from cnncli.engine.plan import cut
from cnncli.graph import Model
from cnncli.inspection.subject import Subject
from cnncli.inspection.trace import Scene, checked
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES
from tests.engine.networks import data, residual
from tests.inspection.trace.networks import TRACED, ask, error_of, every_number, scene_of, scene_of_layer, trace_of
from tests.layers.cases import CASES, Case
from tests.parity.random_graphs import random_graph

CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))
CLOSE = 1e-12
both_modes = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_of_every_layer(case: Case) -> None:
    scene = scene_of_layer(case)
    traced = [trace_of(scene, *each) for each in every_number(scene, limit=40)]
    assert {trace.number.gradient for trace in traced if trace.number.node == TRACED} == {False, True}
    assert max(map(error_of, traced)) <= CLOSE


@both_modes
@pytest.mark.parametrize("seed", range(30))
def test_of_random_networks(seed: int, training: bool) -> None:
    losses = list(LOSSES.values())
    scene = scene_of(random_graph(seed), losses[seed % len(losses)](), samples=3, training=training)
    traced = [trace_of(scene, *each) for each in every_number(scene, limit=2, seed=seed)]
    traced += [ask(scene, layer="loss", sample=sample) for sample in range(3)]
    assert len(traced) > 2 * len(scene.model.graph.nodes)
    assert max(map(error_of, traced)) <= CLOSE


@both_modes
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_of_shipped_networks(path: Path, training: bool) -> None:
    experiment = load(path)
    scene = scene_of(experiment.graph, experiment.loss, training=training)
    traced = [trace_of(scene, *each) for each in every_number(scene, limit=1)]
    assert max(map(error_of, [*traced, ask(scene, layer="loss")])) <= CLOSE


@both_modes
def test_of_a_batch_that_is_cut(training: bool) -> None:
    """Dropout's masks depend on the micro-batch, batch norm's statistics on all of them."""
    graph = residual()
    x, objective = data(graph, 70)
    model = Model.create(graph, seed=2, dtype=np.float64)
    assert len(cut(graph, 70)) > 1
    scene = Scene.record(model, x, objective, training=training, seed=7)
    traced = [trace_of(scene, *each) for each in every_number(scene, limit=6)]
    assert max(map(error_of, traced)) <= CLOSE


def test_of_a_logit() -> None:
    graph = random_graph(3)
    model = scene_of(graph, LOSSES["mse"]()).model
    x = np.random.default_rng(0).normal(size=(2, *graph.input_shape))
    scene = Scene.record(model, x, LogitObjective(graph.output.name, np.array([[1]])))
    traced = [trace_of(scene, *each) for each in every_number(scene, limit=3)]
    assert max(map(error_of, traced)) <= CLOSE


@pytest.mark.parametrize("kind", ["conv2d", "linear", "relu", "max_pool2d", "batch_norm"])
def test_an_engine_that_is_wrong_by_a_billionth_is_caught(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = LAYERS[kind].backward

    def wrong(self: Any, *arguments: Any) -> Any:
        (dx,), gradients = right(self, *arguments)
        return (None if dx is None else dx * (1 + 1e-9),), gradients

    monkeypatch.setattr(LAYERS[kind], "backward", wrong)
    graph = residual()
    x, objective = data(graph, 3)
    scene = Scene.record(Model.create(graph, seed=2), x, objective)
    sources = {name for node in graph.nodes if node.layer.type == kind for name in node.inputs}
    for number, engine in every_number(scene, limit=20):
        if number.gradient and number.key is None and number.node in sources and abs(engine) > 1e-3:
            with pytest.raises(AssertionError, match="but the engine has"):
                trace_of(scene, number, engine)
            return
    pytest.fail("no gradient was large enough to tell")


def test_a_difference_is_told_as_a_bug() -> None:
    scene = scene_of(random_graph(0), LOSSES["mse"]())
    number, engine = next(every_number(scene, limit=1))
    arithmetic = trace_of(scene, number, engine).arithmetic
    assert arithmetic is not None
    with pytest.raises(AssertionError, match=r"the terms add up to .* but the engine has"):
        checked(Subject(""), number, arithmetic, engine + 1e-9 * arithmetic.magnitude)
