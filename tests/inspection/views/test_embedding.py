from __future__ import annotations

import numpy as np
import pytest

from cnncli.engine import Executor
from cnncli.errors import DataError, OutcomeError
from cnncli.graph import INPUT, Model
from cnncli.inspection.views import embedding as module
from cnncli.inspection.views.embedding import EmbeddingView, default_layer, embedding_view, principal_components
from tests.inspection.lots import samples
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

MODEL = Model.create(chain(INPUT_SHAPE, *CHAIN), seed=3, dtype=np.float64)
X = np.random.default_rng(0).normal(size=(20, *INPUT_SHAPE))
CLASSES = (("a", "b", "c"), np.arange(20) % 2 * 2)


def found(layer: str, x: np.ndarray = X, classes: tuple | None = CLASSES, model: Model = MODEL) -> EmbeddingView:
    with Executor(model, workers=1) as executor:
        return embedding_view(executor, samples(x), layer, classes)


@pytest.mark.parametrize("shape", [(50, 7), (7, 50), (12, 12), (40, 2), (2, 40), (9, 1), (300, 3)])
@pytest.mark.parametrize("chunk", [1, 64, 1 << 22])
def test_principal_components_are_those_of_the_singular_value_decomposition(
    shape: tuple[int, int], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    values = np.random.default_rng(4).normal(size=shape) * np.geomspace(3, 0.1, shape[1]) + 5
    coordinates, explained = principal_components(values)
    u, s, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    expected = np.pad((u * s)[:, :2], ((0, 0), (0, max(2 - shape[1], 0))))
    np.testing.assert_allclose(np.abs(coordinates), np.abs(expected), atol=1e-7 * s[0])
    shares = np.pad(s**2 / (s**2).sum(), (0, 1))[:2]
    np.testing.assert_allclose(explained, shares, atol=1e-12)


@pytest.mark.parametrize("shape", [(30, 4), (4, 30)])
def test_the_signs_do_not_depend_on_the_signs_of_the_directions(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(6).normal(size=shape)
    coordinates, _ = principal_components(values)
    eigh = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: (eigh(matrix)[0], -eigh(matrix)[1]))
    np.testing.assert_array_equal(principal_components(values)[0], coordinates)
    far = np.abs(coordinates) >= np.abs(coordinates).max(axis=0) / 2
    assert (coordinates[far.argmax(axis=0), [0, 1]] > 0).all()


def test_two_samples_lie_opposite_one_another_the_first_on_the_positive_side() -> None:
    coordinates, explained = principal_components(np.array([[1.0, 5.0, 0.0], [4.0, 1.0, 0.0]]))
    np.testing.assert_allclose(coordinates, [[2.5, 0], [-2.5, 0]], atol=1e-7)
    assert explained == pytest.approx((1.0, 0.0))


@pytest.mark.parametrize("values", [np.zeros((5, 3)), np.full((5, 3), 0.1), np.full((3, 5), 7e300), np.ones((1, 4))])
def test_samples_that_do_not_differ_lie_at_one_point(values: np.ndarray) -> None:
    coordinates, explained = principal_components(values)
    assert not coordinates.any()
    assert explained == (None, None)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_very_large_and_very_small_numbers(size: float) -> None:
    values = np.random.default_rng(5).normal(size=(8, 3))
    (plain, shares), (scaled, same) = principal_components(values), principal_components(values * size)
    np.testing.assert_allclose(scaled / size, plain, rtol=1e-9)
    np.testing.assert_allclose(same, shares, rtol=1e-9)


def test_a_point_for_every_sample() -> None:
    view = found("conv1")
    assert (view.layer, view.samples, view.dimensions, view.nonfinite) == ("conv1", "test", 4 * 4 * 4, 0)
    assert [point.input for point in view.points] == [f"test:{index}" for index in range(20)]
    assert [point.class_ for point in view.points[:3]] == ["a", "c", "a"]
    assert np.array_equal(view.coordinates, [[point.x, point.y] for point in view.points])
    assert (view.classes, view.numbers) == (("a", "c"), (0, 2))


def test_the_charts_have_a_cloud_for_each_class() -> None:
    (chart,) = found("linear1").charts.charts
    assert (chart.kind, chart.title) == ("points", "linear1, 3 numbers a sample")
    assert [(series.name, len(series.x), len(series.y)) for series in chart.series] == [("a", 10, 10), ("c", 10, 10)]
    assert chart.x_name.startswith("1st component, ")
    (chart,) = found("linear1", classes=None).charts.charts
    assert [(series.name, len(series.x)) for series in chart.series] == [("", 20)]


def test_the_input_is_a_layer_too_and_one_sample_is_enough() -> None:
    assert found(INPUT).dimensions == 36
    view = found("linear1", X[:1])
    assert [(point.x, point.y) for point in view.points] == [(0.0, 0.0)]
    assert view.charts.charts[0].x_name == "1st component"


def test_samples_that_are_not_finite_are_left_out_and_counted() -> None:
    broken = X.copy()
    broken[3], broken[7, 0, 0, 0] = np.nan, np.inf
    view = found(INPUT, broken)
    assert (view.nonfinite, len(view.points), view.coordinates.shape) == (2, 18, (18, 2))
    assert "test:3" not in {point.input for point in view.points}
    assert view.charts.charts[0].notes == ("2 samples are left out: NaN or infinite",)
    with pytest.raises(OutcomeError, match="the output of conv1 is NaN or infinite for all of these 20 samples"):
        found("conv1", np.full_like(X, np.nan))


def test_more_than_fits_the_memory_is_refused_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BYTES", 5 * 64 * 8)
    with pytest.raises(DataError, match=r"--samples 20: conv1 gives 64 numbers for each.*take at most 5 samples, or a"):
        found("conv1")
    assert len(found("conv1", X[:5], None).points) == 5


def test_what_the_last_layer_with_weights_reads_is_the_default() -> None:
    assert default_layer(MODEL) == "dropout1"
    assert default_layer(Model.create(chain((2,), ("a", "relu", {})))) == "a"
