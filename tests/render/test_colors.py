from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnncli.errors import UsageError
from cnncli.inspection.views.board import Row, Tile
from cnncli.render.colors import DEAD, NOT_FINITE, TABLES, Limits, luminance
from cnncli.render.scale import NOTHING, Scale, has_numbers
from tests.render.makers import board, numbers, tensor

REALS = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e9, 1e9))


def test_zero_is_white_exactly_in_the_centre() -> None:
    table = TABLES["diverging"]
    assert len(table) % 2 == 1
    assert tuple(table[len(table) // 2]) == (255, 255, 255)
    limits = Limits.of(-0.3, 7.0, signed=True)
    assert (limits.vmin, limits.vmax) == (-7.0, 7.0)
    assert limits.levels[127] == 0
    assert limits.colors(np.array([0.0])).tolist() == [[255, 255, 255]]


def test_negative_is_blue_positive_is_red_alike_in_lightness() -> None:
    blue, red = Limits(-1.0, 1.0, "diverging").colors(np.array([-0.5, 0.5])).astype(int)
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    table = TABLES["diverging"]
    light = luminance(table[None])[0]
    assert np.abs(light - light[::-1]).max() < 0.08
    assert (np.diff(light[:128]) > 0).all()


def test_viridis_starts_at_zero_and_is_viridis() -> None:
    limits = Limits.of(0.5, 4.0, signed=False)
    assert (limits.vmin, limits.vmax, limits.colormap) == (0.0, 4.0, "viridis")
    # As matplotlib 3.10 has it.
    published = {0: (68, 1, 84), 31: (71, 44, 122), 97: (44, 115, 142), 160: (40, 174, 128), 223: (170, 220, 50)}
    for place, color in published.items():
        assert np.abs(limits.colors(limits.levels[place : place + 1])[0].astype(int) - color).max() <= 1
    assert tuple(limits.colors(np.array([4.0]))[0]) == (253, 231, 37)


@pytest.mark.parametrize("name", TABLES)
def test_every_level_has_a_color_of_its_own(name: str) -> None:
    assert len(np.unique(TABLES[name], axis=0)) == len(TABLES[name])
    reserved = {NOT_FINITE, DEAD}
    assert not reserved & {tuple(color) for color in TABLES[name].tolist()}


@settings(deadline=None)
@given(REALS, st.booleans())
def test_colors_decode_to_half_a_level(values: np.ndarray, signed: bool) -> None:
    values = values if signed else np.abs(values)
    limits = Limits.of(values.min(), values.max(), signed=signed)
    step = limits.reach / (127 if signed else 255)
    assert np.abs(limits.decode(limits.colors(values)) - values).max() <= step / 2 * (1 + 1e-9)


def test_what_is_not_finite_is_magenta_and_decodes_to_nan() -> None:
    limits = Limits.of(0.0, 1.0, signed=False)
    colors = limits.colors(np.array([np.nan, np.inf, -np.inf, 1.0]))
    assert colors[:3].tolist() == [[255, 0, 255]] * 3
    assert np.isnan(limits.decode(colors)).tolist() == [True, True, True, False]


def test_limits_that_are_not_symmetric_keep_zero_white_and_strength_equal() -> None:
    limits = Limits(-1.0, 3.0, "diverging")
    symmetric = Limits(-3.0, 3.0, "diverging")
    values = np.array([-1.0, 0.0, 1.0, 3.0])
    assert np.array_equal(limits.colors(values), symmetric.colors(values))
    assert np.array_equal(limits.colors(np.array([-9.0])), limits.colors(np.array([-1.0])))
    assert limits.clipped(np.array([-9.0, 0.0, 1.0, np.nan])) == pytest.approx(1 / 3)


@settings(deadline=None)
@given(st.floats(), st.floats(), st.booleans(), REALS)
def test_no_limits_fail(low: float, high: float, signed: bool, values: np.ndarray) -> None:
    assert Limits.of(low, high, signed=signed).colors(values).shape == (*values.shape, 3)


@pytest.mark.parametrize(
    "text", ["layer", "map", "net", "fixed:-1,3", "fixed:0,0.5", "percentile:99", "percentile:99.5", "percentile:100"]
)
def test_scales_are_read_as_they_are_written(text: str) -> None:
    assert str(Scale.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *["", "auto", "fixed", "fixed:1", "fixed:1,1", "fixed:2,1", "fixed:0,inf", "fixed:a,b", "fix:0,1"],
        *["percentile", "percentile:", "percentile:0", "percentile:101", "percentile:nan", "percentile:1,2", "layer:1"],
    ],
)
def test_other_scales_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Scale.parse(text)
    assert str(caught.value) == (
        f"--scale {text}: expected layer, map, net, fixed:LO,HI with numbers LO < HI, as in fixed:-1,1, "
        "or percentile:P with 0 < P <= 100, as in percentile:99"
    )


def test_what_shares_a_scale() -> None:
    quiet, loud = np.abs(numbers(2, 3, 3)), 10 * numbers(2, 3, 3, seed=1)
    rows = tensor(quiet, node="a"), tensor(loud, node="b"), tensor(100 * loud, node="b", what="gradient")
    drawn = board(*rows)
    layer, of_net = (Scale(mode).limits(drawn, rows[0]) for mode in ("layer", "net"))
    assert layer == (Limits(0.0, float(quiet.max()), "viridis"),) * 2
    reach = float(np.abs(loud).max())
    assert of_net == (Limits(-reach, reach, "diverging"),) * 2
    of_map = Scale("map").limits(drawn, rows[1])
    assert [each.vmax for each in of_map] == [float(np.abs(block).max()) for block in loud]


def test_the_scale_of_a_layer_counts_the_channels_that_are_not_drawn() -> None:
    array = np.abs(numbers(3, 2, 2))
    array[2] += 5
    chosen = tensor(array, channels=[0])
    assert Scale().limits(board(chosen), chosen)[0].vmax == array.max()


def test_numbers_without_statistics_have_the_scale_of_what_is_drawn() -> None:
    row = Row(("x",), "cam", (Tile("a", np.array([[1.0, 3.0]])), Tile("b", np.array([[-2.0]]))), signed=True)
    assert Scale().limits(board(row), row) == (Limits(-3.0, 3.0, "diverging"),) * 2


def test_a_picture_has_no_scale_but_what_lies_over_it_has_one() -> None:
    picture = np.full((4, 4), 200, np.uint8)
    plain = Row(("x",), "picture", (Tile("a", picture),))
    covered = Row(("x",), "cam", (Tile("a", picture), Tile("b", picture, over=np.array([[1.0, 3.0]]))))
    assert not has_numbers(plain)
    assert Scale().limits(board(plain), plain) == (NOTHING,)
    for mode in ("layer", "map"):
        assert Scale(mode).limits(board(covered), covered)[1] == Limits(0.0, 3.0, "viridis")


def test_a_percentile_cuts_off_the_rest() -> None:
    array = np.arange(101.0).reshape(1, 1, 101)
    row = tensor(array)
    scale = Scale.parse("percentile:90")
    (limits,) = scale.limits(board(row), row)
    assert limits == Limits(0.0, 90.0, "viridis")
    assert scale.describe(row, [limits]) == "percentile 90 [0, 90], 9.9% beyond"
    signed = tensor(array - 50)
    assert scale.limits(board(signed), signed) == (Limits(-45.0, 45.0, "diverging"),)


@pytest.mark.parametrize(("values", "limit"), [([0.0] * 99 + [7.0], 7.0), ([0.0, 0.0], 0.0), ([np.nan], 0.0)])
def test_a_percentile_never_cuts_off_everything(values: list[float], limit: float) -> None:
    row = tensor(np.array([[values]]))
    assert Scale.parse("percentile:50").limits(board(row), row)[0].vmax == limit


def test_a_scale_is_described_with_its_limits_and_what_they_cut_off() -> None:
    row = tensor(np.array([[[0.0, 1.0], [2.0, 8.0]]]))
    described = [Scale.parse(text) for text in ("layer", "map", "fixed:0,4", "fixed:-1,1")]
    assert [scale.describe(row, scale.limits(board(row), row)) for scale in described] == [
        "layer [0, 8]",
        "map, each 0 to its max",
        "fixed [0, 4], 25.0% beyond",
        "fixed [-1, 1], 50.0% beyond",
    ]
