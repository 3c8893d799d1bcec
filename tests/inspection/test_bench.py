"""What is measured: steps, layers, products, memory. How long anything takes is nobody's promise."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.bench import Cost, LayerCosts, layer_costs, measure, peak_memory
from cnncli.inspection.bench.products import Product, products
from cnncli.inspection.bench.speed import LEAST, WARM_UP, timings
from cnncli.inspection.bench.stopwatch import ENGINE, LOSS, Stopwatch
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES

SAMPLES = 100
"""Several micro-batches, of two sizes."""


def network() -> Graph:
    """A grouped convolution, what couples the batch, two branches, and a softmax that cross entropy contains."""
    conv = LAYERS["conv2d"](out_channels=6, kernel_size=3, groups=2, bias=False)
    return build(
        (4, 6, 6),
        [
            ("conv", conv, (INPUT,)),
            ("norm", LAYERS["batch_norm"](), ("conv",)),
            ("relu", LAYERS["relu"](), ("norm",)),
            ("point", LAYERS["conv2d"](out_channels=6, kernel_size=1), ("relu",)),
            ("add", LAYERS["add"](), ("relu", "point")),
            ("flatten", LAYERS["flatten"](), ("add",)),
            ("linear", LAYERS["linear"](out_features=5), ("flatten",)),
            ("softmax", LAYERS["softmax"](), ("linear",)),
        ],
    )


def batch() -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(0).random((SAMPLES, 4, 6, 6), np.float32), np.arange(SAMPLES) % 5


@pytest.fixture(scope="module")
def costs() -> LayerCosts:
    return layer_costs(Model.create(network()), *batch(), LOSSES["cross_entropy"](), steps=2)


# Steps


def test_every_step_is_made_after_the_warm_up() -> None:
    calls = iter(range(100))
    speed = measure(lambda: next(calls), samples=32, steps=4)
    assert speed.steps == 4
    assert next(calls) == WARM_UP + 4
    rates = speed.images_per_second
    assert 0 < rates.min <= rates.median <= rates.max < math.inf


def test_without_a_number_of_steps_time_decides() -> None:
    def ticks() -> Iterator[None]:
        yield from [None] * 1000

    calls = ticks()
    assert len(list(timings(lambda: next(calls), None, seconds=0.0))) == LEAST
    assert len(list(timings(lambda: None, None, seconds=0.01))) > LEAST


# Layers


def test_every_node_has_a_row(costs: LayerCosts) -> None:
    assert [(row.name, row.type, row.shape) for row in costs.rows] == [
        (node.name, node.layer.type, node.shape) for node in network().nodes
    ]
    assert (costs.loss.type, costs.loss.shape) == ("cross_entropy", None)


def test_all_that_runs_takes_time_forward_and_back(costs: LayerCosts) -> None:
    *layers, softmax = costs.rows
    assert all(row.forward_seconds > 0 and row.backward_seconds > 0 for row in (*layers, costs.loss, costs.engine))
    assert softmax.seconds == 0, "cross entropy reads what comes before"


def test_the_total_is_the_sum_of_all_rows(costs: LayerCosts) -> None:
    rows = (*costs.rows, costs.loss, costs.engine)
    for what in ("forward_seconds", "backward_seconds", "seconds", "flops", "floor_seconds"):
        assert getattr(costs.total, what) == pytest.approx(sum(getattr(row, what) for row in rows), rel=1e-12)


def test_products_belong_to_convolutions_and_linear_layers_alone(costs: LayerCosts) -> None:
    for row in (*costs.rows, costs.loss, costs.engine):
        multiplies = row.name in ("conv", "point", "linear")
        assert (row.flops > 0) == (row.floor_seconds > 0) == (row.gflops_per_second > 0) == multiplies
        assert row.floor_share == (row.floor_seconds / row.seconds if multiplies else 0)


def test_operations_are_those_of_the_summary_two_or_three_times(costs: LayerCosts) -> None:
    """Forward, the weight's gradient and, but for the first layer, the input's."""
    times = {"conv": 2, "point": 3, "linear": 3}
    for node, row in zip(network().nodes, costs.rows, strict=True):
        macs = node.layer.macs(node.input_shapes, node.shape)
        assert row.flops == 2 * macs * SAMPLES * times.get(node.name, 0)


def test_the_parameters_stay_as_they_are() -> None:
    model = Model.create(network())
    before = model.flat.copy()
    layer_costs(model, *batch(), LOSSES["cross_entropy"](), steps=1)
    np.testing.assert_array_equal(model.flat, before)


def test_a_stopwatch_gives_to_the_engine_what_nobody_took() -> None:
    stopwatch = Stopwatch()

    def step() -> None:
        assert stopwatch.call(("a", "forward"), sum, [1, 2]) == 3
        stopwatch.call((LOSS, "forward"), lambda: None)
        stopwatch.call(("a", "backward"), lambda: None)

    for _ in range(3):
        stopwatch.time(step)
    times = stopwatch.medians(2)
    assert set(times) == {
        ("a", "forward"),
        (ENGINE, "forward"),
        (LOSS, "forward"),
        ("a", "backward"),
        (ENGINE, "backward"),
    }
    assert min(times.values()) > 0


def test_ratios_of_nothing_are_nothing() -> None:
    assert Cost.of("softmax", "softmax", (0.0, 0.0)).floor_share == 0
    half = Cost.of("conv", "conv2d", (0.5, 1.5), flops=4_000_000_000, floor=1.0)
    assert (half.seconds, half.gflops_per_second, half.floor_share) == (2.0, 2.0, 0.5)


# Products


def test_the_products_of_a_grouped_convolution() -> None:
    model = Model.create(network())
    conv = model.graph.by_name["conv"]  # 4 -> 6 channels in 2 groups, 3x3 windows at 4x4 places
    forward, dw, dx = Product(2, 3, 18, 160), Product(2, 3, 160, 18), Product(2, 18, 3, 160)
    assert products(model, conv, 10, dx=False) == [forward, dw]
    assert products(model, conv, 10, dx=True) == [forward, dw, dx]
    assert forward.flops == dw.flops == dx.flops == 2 * 10 * conv.layer.macs(conv.input_shapes, conv.shape)


def test_the_products_of_a_linear_layer() -> None:
    model = Model.create(network())
    found = products(model, model.graph.by_name["linear"], 10, dx=True)
    assert found == [Product(1, 5, 96, 10), Product(1, 5, 10, 96), Product(1, 96, 5, 10)]
    assert all(product.seconds(np.dtype(np.float64), 1) > 0 for product in found)


@pytest.mark.parametrize("name", ["norm", "relu", "add", "flatten"])
def test_other_layers_have_no_products(name: str) -> None:
    model = Model.create(network())
    assert products(model, model.graph.by_name[name], 10, dx=True) == []


# Memory


def test_what_was_held_once_counts() -> None:
    before = peak_memory()
    if before is None:
        pytest.skip("this system does not tell")
    held = np.ones(before // 8 + 4_000_000)
    size = held.nbytes
    del held
    after = peak_memory()
    assert after is not None
    assert after > size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of other processes")
def test_helpers_count() -> None:
    alone = peak_memory()
    code = "held = bytearray(64_000_000); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as helper:
        assert helper.stdin is not None
        assert helper.stdout is not None
        helper.stdout.readline()
        together = peak_memory()
        helper.stdin.close()
    assert alone is not None
    assert together is not None
    assert together - alone > 60_000_000
