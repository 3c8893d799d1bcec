from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.render import text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (6.0, "6"),
        (-12.0, "-12"),
        (0.5, "0.5000"),
        (0.123456, "0.1235"),
        (-12.3456, "-12.35"),
        (9.99996, "10.00"),
        (123456.7, "123457"),
        (1234567.0, "1.235e6"),
        (0.001234567, "0.001235"),
        (0.0001234567, "1.235e-4"),
        (-1e-30, "-1.000e-30"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (None, "-"),
    ],
)
def test_a_number_has_four_digits(value: float | None, expected: str) -> None:
    assert text.number(value) == expected


@given(st.floats(-1e307, 1e307))
def test_a_number_can_be_read_back_to_its_digits(value: float) -> None:
    assert math.isclose(float(text.number(value)), value, rel_tol=5.01e-4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, -6.0, 0.0], ["1", "-6", "0"]),
        ([1.5, 0.0, -20.25], ["1.50", "0", "-20.25"]),
        ([0.5, math.nan, -math.inf], ["0.5000", "nan", "-inf"]),
        ([1e-7, 1.0], ["0.000", "1.000"]),
        ([1e-7, 0.0], ["1.000e-7", "0"]),
        ([0.00012345, -0.00001], ["0.0001234", "-0.0000100"]),
        ([1e-9, 2.5e9], ["1.000e-9", "2.500e9"]),
        ([-0.0, math.nan], ["0", "nan"]),
        ([2e9], ["2.000e9"]),
        ([], []),
    ],
)
def test_numbers_of_a_grid_share_their_decimals(values: list[float], expected: list[str]) -> None:
    assert text.numbers(np.array(values)) == expected


def test_numbers_have_as_many_digits_as_are_asked_for() -> None:
    assert text.numbers(np.array([0.5]), 8) == ["0.50000000"]


def test_counts() -> None:
    assert text.count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (999, "999"), (1000, "1 k"), (416520, "417 k"), (999700, "1000 k"), (15470264320, "15.5 G")],
)
def test_magnitudes(value: int, expected: str) -> None:
    assert text.magnitude(value) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, "0%"), (1.0, "100%"), (0.123, "12.3%"), (1e-6, "<0.1%"), (0.99999, ">99.9%"), (math.nan, "-")],
)
def test_a_share_is_none_or_all_only_if_it_is(share: float, expected: str) -> None:
    assert text.percent(share) == expected


@given(st.floats(), st.integers(0, 50))
def test_a_bar_never_leaves_its_width(share: float, width: int) -> None:
    assert len(text.bar(share, width)) <= width
    assert set(text.bar(share, width, ascii_only=True)) <= {"#"}


def test_a_bar_knows_eighths() -> None:
    assert text.bar(0.5, 4) == "██"
    assert text.bar(5 / 32, 4) == "▋"
    assert text.bar(0.5, 4, ascii_only=True) == "##"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (9.9, "9.9 s"),
        (9.97, "10 s"),
        (59.7, "1 min 00 s"),
        (3569, "59 min 29 s"),
        (3599.6, "1 h 00 min"),
        (3600, "1 h 00 min"),
        (12_345, "3 h 26 min"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert text.duration(seconds) == expected
