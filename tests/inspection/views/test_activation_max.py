from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnncli.data.display import to_picture
from cnncli.engine import Executor, record_forward
from cnncli.errors import UsageError
from cnncli.graph import Model
from cnncli.inspection.maximization import Ascent
from cnncli.inspection.samples import Samples
from cnncli.inspection.views.activation_max import ActivationMaxView, activation_max_view
from cnncli.inspection.views.pick import Pick
from tests.inspection.lots import samples
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

MODEL = Model.create(chain(INPUT_SHAPE, *CHAIN), seed=3, dtype=np.float64)
X = np.random.default_rng(4).uniform(-1, 1, size=(20, *INPUT_SHAPE))


def view(
    *layers: str,
    pick: Pick | None = None,
    model: Model = MODEL,
    shown: Samples | None = samples(X),  # noqa: B008 - never changed
    **options: Any,
) -> ActivationMaxView:
    with Executor(model, workers=1) as executor:
        return activation_max_view(executor, layers, shown, to_picture, pick or Pick(), Ascent(30), **options)


def test_each_channel_beside_the_sample_that_it_likes_best() -> None:
    found = view("relu1", "linear1")
    assert [layer.node for layer in found.layers] == ["relu1", "linear1"]
    with Executor(MODEL, workers=1) as executor:
        activations = record_forward(executor, X).activations
    for layer, sheet in zip(found.layers, found.board.sheets, strict=True):
        means = activations[layer.node].reshape(20, layer.shape[0], -1).mean(axis=2)
        assert [peak.channel for peak in layer.peaks] == list(range(layer.shape[0]))
        assert [peak.sample for peak in layer.peaks] == [f"test:{index}" for index in means.argmax(axis=0)]
        np.testing.assert_allclose([peak.sample_value for peak in layer.peaks], means.max(axis=0), rtol=1e-12)
        made, best = sheet.rows
        images = made.array
        assert images is not None
        assert all(tile.is_picture for row in sheet.rows for tile in row.tiles)
        assert all(peak.value > peak.noise for peak in layer.peaks)
        assert images.shape == (layer.shape[0], *INPUT_SHAPE)
        assert images.min() >= X.min()
        assert images.max() <= X.max()
        np.testing.assert_array_equal(made.tiles[1].values, to_picture(images[1]))
        np.testing.assert_array_equal(best.tiles[1].values, to_picture(X[means[:, 1].argmax()]))
        assert made.tiles[1].label == f"c01  {layer.peaks[1].noise:.3g} -> {layer.peaks[1].value:.3g}"
        assert best.tiles[1].label == f"{layer.peaks[1].sample}  {layer.peaks[1].sample_value:.3g}"
    assert found.board.sheets[0].stem == "02_relu1__activation-max"
    assert found.nonfinite == ()


def test_the_strongest_channels_come_first_where_there_are_many() -> None:
    found = view("conv1", pick=Pick(top=2))
    with Executor(MODEL, workers=1) as executor:
        means = record_forward(executor, X).activations["conv1"].mean(axis=(2, 3))
    expected = np.argsort(-np.abs(means).mean(axis=0), kind="stable")[:2]
    assert [peak.channel for peak in found.layers[0].peaks] == expected.tolist()
    assert found.board.sheets[0].rows[0].ranked
    assert [peak.channel for peak in view("conv1", pick=Pick(channels=(3, 1))).layers[0].peaks] == [3, 1]


def test_classes_have_their_names() -> None:
    found = view("linear1", class_names=("linear1", ("boot", "coat", "bag")))
    assert [peak.name for peak in found.layers[0].peaks] == ["boot", "coat", "bag"]
    assert found.board.sheets[0].rows[0].tiles[2].label.startswith("bag  ")


def test_without_samples_there_is_nothing_to_compare_with() -> None:
    found = view("relu1", pick=Pick(top=2), shown=None)
    assert found.samples is None
    assert [(peak.channel, peak.sample, peak.sample_value) for peak in found.layers[0].peaks] == [
        (0, None, None),
        (1, None, None),
    ]
    assert len(found.board.sheets[0].rows) == 1
    made = found.board.sheets[0].rows[0].array
    assert made is not None
    assert np.abs(made).max() <= 2.5


def test_what_is_odd_is_told() -> None:
    model = Model.create(MODEL.graph, seed=3, dtype=np.float64)
    model.parameters["conv1"]["bias"][1] = -1e3
    (sheet,) = view("relu1", model=model).board.sheets
    assert "no noise has a gradient that leads away from 0: c01" in sheet.notes
    (sheet,) = view("conv1").board.sheets
    assert sheet.notes[0].startswith("a mean counts what is below 0 too: what relu1 lets through")
    model.parameters["linear1"]["bias"][0] = np.nan
    assert view("linear1", model=model).nonfinite == ("linear1",)


@pytest.mark.parametrize(
    ("layer", "pick", "message"),
    [
        ("input", Pick(), "--layer input: nothing is computed there; name a layer of the network"),
        ("conv2", Pick(), "--layer conv2: the network has no such layer; did you mean 'conv1'?"),
        ("conv1", Pick(channels=(4,)), "--channels: there is no channel 4; conv1 has 4, counted from 0"),
    ],
)
def test_what_is_not_there(layer: str, pick: Pick, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        view(layer, pick=pick)
    assert str(caught.value) == message
