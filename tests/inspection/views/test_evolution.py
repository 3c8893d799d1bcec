from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.graph import Model
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.evolution import Film, films, node_of, strips
from cnncli.inspection.views.pick import Pick
from tests.inspection.views.makers import chain

GRAPH = chain(
    (1, 6, 6),
    ("conv1", "conv2d", {"out_channels": 4, "kernel_size": 3}),
    ("relu1", "relu", {}),
    ("conv2", "conv2d", {"out_channels": 3, "kernel_size": 2}),
    ("flatten1", "flatten", {}),
    ("linear1", "linear", {"out_features": 3}),
)
SUBJECTS = (Subject("test:0", target="mse loss"), Subject("val:3", target="mse loss"))
STEPS = (0, 10, 20, 25)
STRONG = Pick(top=2)
SHAPES = {
    "activation/conv1": (2, 4, 4, 4),
    "gradient/conv1": (2, 4, 4, 4),
    "parameter/conv1.weight": (4, 1, 3, 3),
    "parameter/conv2.weight": (2, 4, 2, 2),  # of three
    "activation/linear1": (2, 3),
    "parameter/linear1.weight": (3, 27),
}


def frames() -> dict[int, dict[str, NDArray[Any]]]:
    """Channel c is as strong as its number, but channel 0 of conv1, which is the strongest at the end."""
    rng = np.random.default_rng(0)
    found = {step: {key: rng.normal(size=shape) for key, shape in SHAPES.items()} for step in STEPS}
    for step, arrays in found.items():
        arrays["activation/conv1"] = np.abs(arrays["activation/conv1"])
        arrays["activation/conv1"] *= (
            np.arange(4)[:, None, None] + (100 * (step == 25)) * (np.arange(4) == 0)[:, None, None]
        )
    return found


def made(pick: Pick = STRONG) -> list[Film]:
    return list(films(Model.create(GRAPH), frames(), SUBJECTS, pick))


def film(name: str, subject: str = "", pick: Pick = STRONG) -> Film:
    (found,) = (each for each in made(pick) if each.stem.endswith(f"{name}{subject and '_'}{subject}"))
    return found


def test_a_film_of_each_tensor_and_input_in_the_order_of_the_network() -> None:
    assert [each.stem for each in made()] == [
        "01_conv1__activation_test0",
        "01_conv1__activation_val3",
        "01_conv1__gradient_test0",
        "01_conv1__gradient_val3",
        "01_conv1__weight",
        "03_conv2__weight",
        "05_linear1__activation_test0",
        "05_linear1__activation_val3",
        "05_linear1__weight",
    ]


def test_the_channels_that_are_the_strongest_at_the_end() -> None:
    shown = film("conv1__activation", "val3")
    assert shown.names == ("c00", "c03")
    assert shown.notes == ("2 of 4 channels, the strongest at the end first",)
    assert shown.frames.shape == (4, 2, 4, 4)
    for time, arrays in enumerate(frames().values()):
        np.testing.assert_array_equal(shown.frames[time], arrays["activation/conv1"][1][[0, 3]])
    assert not shown.signed
    assert film("conv1__gradient", "val3").signed


def test_given_channels_and_what_was_not_kept() -> None:
    assert film("conv1__activation", "test0", Pick(channels=(2,))).names == ("c02",)
    weights = film("conv2__weight", pick=Pick(top=None))
    assert weights.names == ("c00", "c01")
    assert weights.frames.shape == (4, 2, 4, 2, 2)
    assert weights.shape == (3, 4, 2, 2)
    assert weights.notes == ("the first 2 of 3 channels were kept",)
    assert not any(each.node == "conv2" for each in made(Pick(channels=(3,))))


def test_a_strip_has_a_row_for_each_channel_with_one_scale_through_all_frames() -> None:
    shown = film("conv1__activation", "test0")
    (sheet,) = strips([shown], Subject("test:0, val:3"), 3).sheets
    assert sheet.title == ("conv1", "conv2d", "activation", "4x4x4")
    assert sheet.subject is not None
    assert (sheet.subject.input, sheet.subject.target) == ("test:0", None)
    assert sheet.notes[1:] == ("3 of 4 frames",)
    assert [row.title for row in sheet.rows] == [("c00",), ("c03",)]
    for channel, row in enumerate(sheet.rows):
        assert [tile.label for tile in row.tiles] == ["step 0", "step 20", "step 25"]
        np.testing.assert_array_equal(row.tiles[1].values, shown.frames[2, channel])
        assert row.statistics is not None
        assert row.statistics.max == shown.frames[:, channel].max()  # of all four, not only the three that are drawn


@pytest.mark.parametrize(
    ("columns", "steps"), [(2, [0, 25]), (3, [0, 20, 25]), (4, [0, 10, 20, 25]), (9, [0, 10, 20, 25])]
)
def test_columns_are_evenly_chosen_with_both_ends(columns: int, steps: list[int]) -> None:
    (sheet,) = strips([film("conv1__weight")], Subject("x"), columns).sheets
    assert [tile.label for tile in sheet.rows[0].tiles] == [f"step {step}" for step in steps]


def test_a_vector_is_one_picture_with_the_steps_downwards() -> None:
    shown = film("linear1__activation", "val3")
    assert shown.is_vector
    (sheet,) = strips([shown], SUBJECTS[1], 2).sheets
    ((tile,),) = (row.tiles for row in sheet.rows)
    assert tile.label == "steps 0 to 25, downwards"
    np.testing.assert_array_equal(tile.values, [arrays["activation/linear1"][1] for arrays in frames().values()])
    assert sheet.subject is None  # the board's own
    assert sheet.notes == ("one scale for all steps",)


def test_filters_are_of_no_input() -> None:
    (sheet,) = strips([film("conv1__weight")], SUBJECTS[0], 9).sheets
    assert sheet.subject is not None
    assert (sheet.subject.input, sheet.subject.true, sheet.subject.picture) == ("", None, None)
    (alone,) = strips([film("conv1__weight")], Subject(""), 9).sheets
    assert alone.subject is None


def test_weights_that_read_an_image_are_images_others_one_map() -> None:
    graph = chain((1, 6, 6), ("flatten1", "flatten", {}), ("linear1", "linear", {"out_features": 5}))
    arrays = {step: {"parameter/linear1.weight": np.ones((2, 36)) * (step + 1)} for step in (0, 1)}
    (templates,) = films(Model.create(graph), arrays, (), Pick())
    assert templates.frames.shape == (2, 2, 6, 6)
    assert templates.names == ("c00", "c01")
    flat = chain((36,), ("linear1", "linear", {"out_features": 5}))
    (matrix,) = films(Model.create(flat), arrays, (), Pick(channels=(1,)))
    assert matrix.frames.shape == (2, 1, 2, 36)
    assert matrix.names == ("",)
    assert matrix.notes == ("the first 2 of 5 channels were kept",)


def test_gradients_say_of_what() -> None:
    (sheet,) = strips([film("conv1__gradient", "test0")], SUBJECTS[0], 9).sheets
    assert sheet.notes[-1] == "gradient of the mse loss"


def test_names() -> None:
    assert [node_of(key) for key in ("activation/a.b", "gradient/input", "parameter/a.b.weight")] == [
        "a.b",
        "input",
        "a.b",
    ]
