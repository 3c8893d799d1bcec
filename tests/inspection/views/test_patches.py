from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.engine import Executor, record_forward
from cnncli.errors import OutcomeError, UsageError
from cnncli.graph import INPUT, Model
from cnncli.inspection import samples as samples_module
from cnncli.inspection.views.patches import OUTSIDE, PatchesView, crop, default_layer, frame, patches_view
from cnncli.inspection.views.pick import Pick
from tests.inspection.lots import samples
from tests.inspection.views.makers import chain

LAYERS = (
    ("conv1", "conv2d", {"out_channels": 3, "kernel_size": 3, "padding": "same", "stride": 2}),
    ("relu1", "relu", {}),
    ("conv2", "conv2d", {"out_channels": 4, "kernel_size": [2, 3], "padding": 1}),
    ("pool2", "max_pool2d", {"kernel_size": 2}),
    ("flatten", "flatten", {}),
    ("linear", "linear", {"out_features": 5}),
)
MODEL = Model.create(chain((1, 9, 8), *LAYERS), seed=5, dtype=np.float64)
X = np.random.default_rng(1).normal(size=(31, 1, 9, 8))


def found(model: Model = MODEL, x: np.ndarray = X, pick: Pick | None = None, **options: int) -> PatchesView:
    with Executor(model, workers=1) as executor:
        return patches_view(executor, samples(x), pick or Pick(), **options)


@pytest.mark.parametrize("node", [name for name, *_ in LAYERS])
@pytest.mark.parametrize("batch", [1, 4, 1000])
def test_the_samples_with_the_largest_values_and_where(node: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_module, "LARGEST_BATCH", batch)
    (layer,) = found(pick=Pick((node,), top=None), count=6).layers
    with Executor(MODEL, workers=1) as executor:
        values = record_forward(executor, X).activations[node]
    assert [channel.channel for channel in layer.channels] == list(range(values.shape[1]))
    for channel in layer.channels:
        of_channel = values[:, channel.channel]
        peaks = of_channel.reshape(31, -1).max(axis=1)
        order = np.argsort(-peaks, kind="stable")[:6]
        assert [patch.input for patch in channel.patches] == [f"test:{index}" for index in order]
        np.testing.assert_allclose([patch.value for patch in channel.patches], peaks[order], rtol=1e-12)
        for index, patch in zip(order, channel.patches, strict=True):
            assert len(patch.at) == of_channel.ndim - 1
            assert of_channel[index][patch.at] == pytest.approx(patch.value, rel=1e-12)


@pytest.mark.parametrize("node", [name for name, *_ in LAYERS])
def test_nothing_outside_the_box_matters(node: str) -> None:
    rng = np.random.default_rng(2)
    (layer,) = found(pick=Pick((node,), top=2), count=2).layers
    with Executor(MODEL, workers=1) as executor:
        for channel in layer.channels:
            for patch in channel.patches:
                top, left, bottom, right = patch.box
                index = int(patch.input.removeprefix("test:"))
                changed = X[index : index + 1] + rng.normal(size=(1, 1, 9, 8))
                rows, columns = slice(max(top, 0), bottom), slice(max(left, 0), right)
                changed[..., rows, columns] = X[index][..., rows, columns]
                value = executor.infer(changed, at=node)[0, channel.channel][patch.at]
                assert value == pytest.approx(patch.value, rel=1e-12)


def test_a_patch_is_cut_to_its_box_with_the_padding() -> None:
    (layer,) = found(pick=Pick(("conv1",), top=None), count=31).layers
    shown = [patch for channel in layer.channels for patch in channel.patches]
    assert {patch.picture.shape for patch in shown} == {(3, 3, 3)}
    outside = [patch for patch in shown if patch.box[0] < 0]
    assert outside
    assert all((patch.picture[0] == OUTSIDE).all() for patch in outside)
    assert layer.notes == (
        "each value sees 3x3 pixels of the input",
        "blue: outside the image, where the network sees zeros",
    )


def test_a_picture_may_have_the_colour_that_marks_what_is_outside() -> None:
    given = samples(X)
    blue = replace(given, picture=lambda index: np.full((9, 8, 3), OUTSIDE, np.uint8))
    with Executor(MODEL, workers=1) as executor:
        (layer,) = patches_view(executor, blue, Pick(("linear",))).layers
    assert layer.notes == ("each value sees the whole input",)


def test_what_sees_everything_shows_whole_samples() -> None:
    view = found(pick=Pick(("linear",)))
    (layer,) = view.layers
    assert {patch.picture.shape for channel in layer.channels for patch in channel.patches} == {(9, 8, 3)}
    assert layer.notes == ("each value sees the whole input",)


def test_a_vector_as_input_has_no_parts() -> None:
    model = Model.create(chain((6,), ("linear", "linear", {"out_features": 2})))
    (layer,) = found(model, np.random.default_rng(0).normal(size=(4, 6))).layers
    assert [patch.box for patch in layer.channels[0].patches] == [None] * 4
    assert layer.notes == ("each value sees the whole input",)


@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    top=st.integers(-9, 9),
    left=st.integers(-9, 9),
    down=st.integers(1, 9),
    right=st.integers(1, 9),
)
def test_a_part_of_a_picture(height: int, width: int, top: int, left: int, down: int, right: int) -> None:
    picture = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    room = 20
    wide = np.full((height + 2 * room, width + 2 * room, 3), OUTSIDE, np.uint8)
    wide[room:-room, room:-room] = picture[..., None]
    part = crop(picture, frame((top, left, top + down, left + right), height, width))
    rows = slice(top, top + down) if down <= height else slice(0, height)
    columns = slice(left, left + right) if right <= width else slice(0, width)
    expected = wide[rows.start + room : rows.stop + room, columns.start + room : columns.stop + room]
    assert np.array_equal(part, expected)


def test_colours_stay() -> None:
    picture = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    assert np.array_equal(crop(picture, (1, 0, 3, 2)), picture[1:, :2])
    assert np.array_equal(crop(picture, frame(None, 3, 3)), picture)


def test_channels_are_ranked_by_their_largest_values() -> None:
    (layer,) = found(pick=Pick(("conv2",), top=3)).layers
    best = [np.mean(np.maximum([patch.value for patch in channel.patches], 0)) for channel in layer.channels]
    assert len(best) == 3
    assert best == sorted(best, reverse=True)
    (chosen,) = found(pick=Pick(("conv2",), (3, 1))).layers
    assert [channel.channel for channel in chosen.channels] == [3, 1]
    with pytest.raises(UsageError, match="--channels: there is no channel 4; conv2 has 4, counted from 0"):
        found(pick=Pick(("conv2",), (0, 4)))


def test_more_patches_than_samples_are_as_many_as_there_are() -> None:
    (layer,) = found(x=X[:2], pick=Pick(("conv1",))).layers
    assert {len(channel.patches) for channel in layer.channels} == {2}


def test_several_layers_come_in_the_order_of_the_network() -> None:
    view = found(pick=Pick(("conv2", INPUT, "conv1"), top=2), count=2)
    assert [layer.node for layer in view.layers] == [INPUT, "conv1", "conv2"]
    assert [sheet.stem for sheet in view.board.sheets] == [
        "00_input__patches",
        "01_conv1__patches",
        "03_conv2__patches",
    ]
    assert [len(sheet.rows) for sheet in view.board.sheets] == [1, 2, 2]
    tile = view.board.sheets[1].rows[0].tiles[0]
    patch = view.layers[1].channels[0].patches[0]
    assert tile.label == f"{patch.input}: {patch.value:.3g}"
    assert tile.values is patch.picture


def test_the_last_value_with_positions_is_the_default() -> None:
    assert default_layer(MODEL) == "pool2"
    assert default_layer(Model.create(chain((3,), ("a", "linear", {"out_features": 2}), ("b", "relu", {})))) == "a"
    assert default_layer(Model.create(chain((4,), ("a", "relu", {}), ("b", "relu", {})))) == "b"


def with_bias(*bias: float) -> Model:
    model = Model.create(
        chain((1, 4, 4), ("conv", "conv2d", {"out_channels": 3, "kernel_size": 3}), ("out", "relu", {}))
    )
    model.parameters["conv"]["bias"][...] = bias
    return model


def test_dead_channels_are_named_and_left_out() -> None:
    view = found(with_bias(-1e3, 0, -1e3), X[:, :, :4, :4], Pick(("out",)))
    (layer,) = view.layers
    assert ([channel.channel for channel in layer.channels], layer.dead) == ([1], (0, 2))
    assert layer.notes[-1] == "out: 0 for all of these samples: c00, c02"
    with pytest.raises(OutcomeError, match="out: 0 for all of these 31 samples, in every channel"):
        found(with_bias(-1e3, -1e3, -1e3), X[:, :, :4, :4], Pick(("out",)))
    both = found(with_bias(-1e3, -1e3, -1e3), X[:, :, :4, :4], Pick(("conv", "out")))
    assert both.board.notes == ("out: 0 for all of these samples: c00, c01, c02",)


def test_nan_is_no_largest_value_but_infinity_is() -> None:
    (layer,) = found(with_bias(np.nan, np.inf, 0), X[:, :, :4, :4], Pick(("conv",))).layers
    assert [channel.channel for channel in layer.channels] == [1, 2]
    assert layer.channels[0].patches[0].value == np.inf
    assert layer.nonfinite == 31 * 2 * 4
    with pytest.raises(OutcomeError, match="conv: NaN for all of these 31 samples, in every channel"):
        found(with_bias(np.nan, np.nan, np.nan), X[:, :, :4, :4], Pick(("conv",)))
