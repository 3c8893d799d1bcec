"""Counts that are NumPy's, whatever the batches, and bins that hold whatever there is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cnncli.engine import Executor, LogitObjective, LossObjective, record_backward
from cnncli.graph import Model
from cnncli.inspection.histograms import Bins, Histogram, value_histograms, weight_histograms
from cnncli.inspection.statistics import statistics
from cnncli.inspection.views.histograms import HistogramsView
from cnncli.losses import LOSSES
from tests.inspection.lots import samples
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

X = np.random.default_rng(0).normal(size=(23, *INPUT_SHAPE))
TARGETS = np.random.default_rng(1).integers(3, size=23)
NODES = ("input", "conv1", "relu1", "linear1")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.create(chain(INPUT_SHAPE, *CHAIN), seed=3, dtype=np.float64)


def counted(histogram: Histogram, array: NDArray[Any]) -> list[int]:
    """Of the whole tensor at once."""
    return np.histogram(array[array != 0], len(histogram.counts), (histogram.edges[0], histogram.edges[-1]))[0].tolist()


def binned(array: NDArray[Any]) -> Histogram:
    bins = Bins(statistics(array))
    bins.add(array)
    return bins.histogram(1, "conv1", "weights", "weight", array.shape)


@pytest.mark.parametrize("batch", [1, 7, 1024])
def test_values_and_gradients_of_all_samples(model: Model, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.inspection.samples.LARGEST_BATCH", batch)
    loss = LOSSES["cross_entropy"]()
    with Executor(model, workers=1) as executor:
        recording = record_backward(executor, X, LossObjective.of(loss, model.graph, TARGETS))
        found = list(
            value_histograms(
                executor, samples(X, TARGETS), NODES, lambda rows: LossObjective.of(loss, model.graph, TARGETS[rows])
            )
        )
    assert [(each.node, each.what) for each in found] == [
        *((node, what) for node in NODES for what in ("activation", "gradient")),
        *((node, f"{key}-gradient") for node in ("conv1", "linear1") for key in ("weight", "bias")),
    ]
    for each in found:
        whole = {
            "activation": recording.activations,
            "gradient": recording.gradients,
        }.get(each.what, {}).get(each.node)
        if whole is None:
            whole = recording.parameter_gradients[each.node][each.what.removesuffix("-gradient")]
        assert each.statistics.std == pytest.approx(whole.std())
        assert sum(each.counts) == np.count_nonzero(whole)
        assert np.abs(np.subtract(each.counts, counted(each, whole))).sum() <= 2  # rounding, at an edge
        assert each.of == ("activations" if each.what == "activation" else "gradients")


def test_a_sum_is_not_made_a_mean(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.inspection.samples.LARGEST_BATCH", 5)
    objective = LogitObjective("linear1", np.array([[2]]))
    with Executor(model, workers=1) as executor:
        recording = record_backward(executor, X, objective)
        found = list(value_histograms(executor, samples(X), ["conv1"], lambda rows: objective))
    (gradient,) = (each for each in found if each.what == "gradient")
    assert gradient.statistics.max == pytest.approx(recording.gradients["conv1"].max())
    assert sum(gradient.counts) == np.count_nonzero(recording.gradients["conv1"])


def test_without_an_objective_only_activations(model: Model) -> None:
    with Executor(model, workers=1) as executor:
        found = list(value_histograms(executor, samples(X), NODES, None))
    assert [(each.node, each.what, each.index) for each in found] == [
        ("input", "activation", 0),
        ("conv1", "activation", 1),
        ("relu1", "activation", 2),
        ("linear1", "activation", 6),
    ]


def test_weights(model: Model) -> None:
    found = list(weight_histograms(model, ["conv1"]))
    assert [each.title for each in found] == ["conv1.weight", "conv1.bias"]
    assert found[0].counts == tuple(counted(found[0], model.parameters["conv1"]["weight"]))
    assert found[0].shape == (4, 1, 3, 3)
    assert found[1].notes == ("all 4 are 0",)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float32, st.integers(1, 300)))
def test_whatever_is_finite_and_not_zero_is_counted(array: NDArray[Any]) -> None:
    _check(binned(array), array)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, st.integers(1, 5)))
def test_also_at_the_ends_of_double_precision(array: NDArray[Any]) -> None:
    _check(binned(array), array)


def _check(found: Histogram, array: NDArray[Any]) -> None:
    kept = array[np.isfinite(array) & (array != 0)]
    assert sum(found.counts) == len(kept)
    assert len(found.edges) == (len(found.counts) + 1 if found.counts else 0)
    assert list(found.edges) == sorted(found.edges)
    assert all(map(math.isfinite, found.edges))
    if len(kept):
        reach = 1e-12 * float(np.abs(kept).max())  # edges are rounded
        assert found.edges[0] <= float(kept.min()) + reach
        assert found.edges[-1] >= float(kept.max()) - reach
    if len(kept) and kept.min() < 0 < kept.max():
        assert 0 in found.edges
    assert len(found.notes[0]) > 8


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([0, 0, 0], "all 3 are 0"),
        ([0.5, 0.5], "all 2 are 0.5"),
        ([math.nan, math.inf], "2 of 2 NaN or infinite"),
        ([2, math.nan], "all others are 2   1 of 2 NaN or infinite"),
        ([1, 3, 0, 0], "mean 1   std 1.22   zeros 50.0% (not drawn)"),
        ([1, 3], "mean 2   std 1"),
        ([0.0] + [1.0, 2.0] * 5000, "mean 1.5   std 0.5   zeros 0.1% (not drawn)"),
    ],
)
def test_what_the_bars_do_not_show_is_told(values: list[float], note: str) -> None:
    assert binned(np.array(values, np.float64)).notes == (note,)


def test_few_numbers_have_few_bins() -> None:
    rng = np.random.default_rng(0)
    assert [len(binned(rng.normal(size=size)).counts) for size in (6, 100, 10_000)] == [8, 16, 64]


def test_groups_and_sheets() -> None:
    weight = binned(np.array([1.0, 2.0]))
    broken = binned(np.array([1.0, math.nan]))
    view = HistogramsView("test", "loss, mean over test", (weight, broken), ("a note",))
    assert [(of, title) for of, title, _ in view.groups()] == [("weights", "weights")]
    assert view.nonfinite == ("conv1.weight (weights)",)
    (sheet,) = view.charts(log=True)
    assert (sheet.view, sheet.notes) == ("weights", ("a note",))
    assert all(chart.log_y and chart.kind == "steps" for chart in sheet.charts)
