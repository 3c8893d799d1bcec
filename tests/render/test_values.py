from __future__ import annotations

import numpy as np
import pytest

from cnncli.render.terminal.values import Values, channel_names
from tests.render.makers import lines, numbers


def test_whole_numbers_stay_whole() -> None:
    assert lines(Values("edge", np.array([[[-4.0, 0.0], [12.0, 3.0]]]))) == [
        "edge  1x2x2",
        "  c0",
        "  -4  0",
        "  12  3",
    ]


def test_a_vector_and_a_matrix_need_no_channel() -> None:
    assert lines(Values("fc", np.array([0.5, -0.25]))) == ["fc  2", "   0.5000 -0.2500"]
    assert lines(Values("w", np.array([[1.0], [2.0]]))) == ["w  2x1", "  1", "  2"]


def test_filters_are_named_by_both_channels() -> None:
    text = lines(Values("w", np.ones((2, 1, 1, 1))))
    assert text == ["w  2x1x1x1", "  [0, 0]   [1, 0]", "  1        1"]
    assert channel_names(()) == [""]


def test_what_is_too_wide_goes_on_below() -> None:
    assert lines(Values("fc", np.arange(12.0)), width=20) == [
        "fc  12",
        "  [0..5]",
        "   0  1  2  3  4  5",
        "",
        "  [6..11]",
        "   6  7  8  9 10 11",
    ]


def test_channels_that_do_not_fit_beside_go_below() -> None:
    assert lines(Values("a", np.zeros((3, 1, 2))), width=14) == [
        "a  3x1x2",
        "  c0    c1",
        "  0 0   0 0",
        "",
        "  c2",
        "  0 0",
    ]


def test_big_tensors_say_how_to_save_them() -> None:
    assert lines(Values("conv1", numbers(64, 32, 32))) == [
        "conv1  64x32x32",
        "  65,536 numbers are too many to print (at most 1,024); save them with --save FILE.npz",
    ]


@pytest.mark.parametrize("width", [10, 20, 30, 100])
def test_every_number_is_there_in_any_width(width: int) -> None:
    array = np.arange(100.0, 130.0).reshape(2, 3, 5)
    found = [int(word) for line in lines(Values("a", array), width=width) for word in line.split() if word.isdecimal()]
    assert sorted(found) == list(range(100, 130))
