from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnncli.inspection.statistics import statistics
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.classes import ClassScore
from cnncli.inspection.views.flow import BackwardView, FlowRow, ForwardView, GradientRow, ParameterRow
from cnncli.render.terminal.flow import backward, forward
from tests.render.makers import draw, lines, row

PICTURE = np.zeros((4, 4), np.uint8)
PICTURE[:2] = 255
TOP = (ClassScore(2, "Pullover", 0.75), ClassScore(0, "T-shirt/top", 0.25))
SUBJECT = Subject("test:17", picture=PICTURE, true="Coat", predicted="Pullover")


def layers() -> tuple:
    image = np.arange(-8.0, 8.0).reshape(1, 4, 4) / 8
    maps = np.stack([image[0], -2 * image[0], np.zeros((4, 4))])
    return (
        row("input", "input", image),
        row("conv1", "conv2d", maps, ("input",)),
        row("relu1", "relu", np.maximum(maps, 0), ("conv1",)),
        row("dead1", "relu", np.zeros((2, 2, 2)), ("relu1",)),
        row("fc", "linear", np.array([1.0, -0.5, 0.0, 0.25]), ("dead1",)),
    )


VIEW = ForwardView(SUBJECT, layers(), TOP)


def test_forward_in_a_pipe() -> None:
    assert lines(forward(VIEW), width=80) == [
        "forward   input test:17   true Coat   predicted Pullover",
        "",
        "                  min      mean",
        "layer             max       std  zeros  strongest maps",
        "────────────────────────────────────────────────────────",
        "input              -1  -0.06250   6.2%  MNXo",
        "input 1x4x4    0.8750    0.5762         xcvi",
        "                                         .:-",
        "                                        =*#%",
        "",
        "conv1          -1.750   0.02083  37.5%  @%#* xxcc",
        "conv2d 3x4x4        2    0.7480         =-:. vvii",
        "                                         ivc  ..:",
        "                                        xoXN :--=",
        "",
        "relu1               0    0.2604  68.8%  @%#*",
        "relu 3x4x4          2    0.4933         =-:.",
        "                                              ..:",
        "                                             :--=",
        "",
        "dead1               0         0    all",
        "relu 2x2x2          0         0",
        "",
        "fc            -0.5000    0.1875  25.0%  @@@@        ----",
        "linear 4            1    0.5413             ssss",
        "                                        0   1   2   3",
        "",
        "scale layer: ' .:-=+*#%@' from 0 up, 'MNXosxcvi ' below",
        "",
        "input   most probable",
        "@@@@    Pullover     ██████████████████        75.0%",
        "@@@@    T-shirt/top  ██████                    25.0%",
        "",
        "",
    ]


def test_forward_in_a_narrow_terminal_drops_strips_then_columns() -> None:
    drawn = {width: lines(forward(VIEW), width=width, color="truecolor") for width in (66, 62, 60, 50, 44, 36, 30)}
    heads = {width: next(line for line in text if line.startswith("layer")) for width, text in drawn.items()}
    assert heads == {
        66: "layer             max       std  zeros  strongest maps",
        62: "layer  type    output      min      mean     max  zeros",
        60: "layer  type    output      min      mean     max  zeros",
        50: "layer  output      min      mean     max  zeros",
        44: "layer  output      min     max  zeros",
        36: "layer      min     max  zeros",
        30: "layer      min     max  zeros",
    }
    assert "fc     4       -0.5000       1  25.0%" in drawn[44]


def test_no_line_is_wider_than_the_terminal() -> None:
    long = replace(VIEW, layers=(row("a_layer_with_quite_a_long_name", "batch_norm", np.ones((3, 4, 4))),))
    for width in range(24, 130):
        text = lines(forward(long), width=width, color="truecolor")
        assert max(map(len, text)) <= width
    assert any("…" in line for line in lines(forward(long), width=40))


def test_a_pipe_gets_no_escape_codes_and_a_terminal_gets_colours() -> None:
    assert "\x1b" not in draw(forward(VIEW))
    assert "\x1b[38;2;" in draw(forward(VIEW), color="truecolor")
    assert "▀" in draw(forward(VIEW), color="256")
    assert "\x1b[38;2;" not in draw(forward(VIEW), color="256")


def test_several_samples_are_told() -> None:
    many = replace(VIEW, subject=Subject("a.png", samples=3, sample=1), top=())
    assert lines(forward(many))[1] == "statistics over 3 samples; pictures and values of a.png, sample 1"
    first = replace(many, subject=Subject("test:0", samples=3))
    assert lines(forward(first))[1] == "statistics over 3 samples; pictures and values of test:0, the first"


def test_values_are_printed_beneath() -> None:
    text = lines(forward(VIEW, values=True))
    place = text.index("conv1  3x4x4")
    assert text[place + 1 : place + 6] == [
        "  c0                            c1                            c2",
        "  -1.000 -0.875 -0.750 -0.625    2.000  1.750  1.500  1.250        0      0      0      0",
        "  -0.500 -0.375 -0.250 -0.125    1.000  0.750  0.500  0.250        0      0      0      0",
        "       0  0.125  0.250  0.375        0 -0.250 -0.500 -0.750        0      0      0      0",
        "   0.500  0.625  0.750  0.875   -1.000 -1.250 -1.500 -1.750        0      0      0      0",
    ]


def test_nan_is_told_by_layer() -> None:
    broken = replace(VIEW, layers=(row("conv1", "conv2d", np.array([[[np.nan, 1.0], [np.inf, 0.0]]])),))
    assert "conv1: 2 of 4 are NaN or infinite" in lines(forward(broken))


def test_names_are_no_markup() -> None:
    odd = replace(VIEW, subject=Subject("shirt[bold].png", true="[/x]"), top=(ClassScore(0, "[red]", 1.0),))
    text = "\n".join(lines(forward(odd)))
    assert "shirt[bold].png" in text
    assert "[/x]" in text
    assert "[red]" in text


def gradient(name: str, type_: str, array: np.ndarray, inputs: tuple[str, ...] = ()) -> GradientRow:
    """Whose activation is the same, but for the sign."""
    made = row(name, type_, array, inputs)
    return GradientRow(**{field.name: getattr(made, field.name) for field in fields(made)}, activation=-array)


WEIGHT = np.array([[[[0.0, 3.0], [-4.0, 0.0]]], [[[1.0, 0.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 2.0]]]])
BACKWARD = BackwardView(
    replace(SUBJECT, target="loss of label Coat"),
    0.32137,
    tuple(gradient(each.name, each.type, each.values, each.inputs) for each in layers()[:2]),
    (
        ParameterRow("conv1", "weight", (3, 1, 2, 2), statistics(WEIGHT), 10.0, 0.5, WEIGHT),
        ParameterRow("conv1", "bias", (1,), statistics(np.ones(1)), 0.0, None, np.ones(1)),
    ),
    (FlowRow("input", 2.318, None, None), FlowRow("conv1", 0.0005184, 5.0, 0.5)),
)


def test_backward_in_a_pipe() -> None:
    text = lines(backward(BACKWARD, values=True), width=80)
    start = text.index("dL/d input  1x4x4")
    assert text[:start] == [
        "backward   input test:17   true Coat   predicted Pullover",
        "target loss of label Coat   value 0.3214",
        "",
        "input                c00",
        "1x4x4                @@%%##**",
        "a       [-0.875, 1]  ==--::..",
        "                       iivvcc",
        "                     xxooXXNN",
        "",
        "dL/da   [-1, 0.875]  MMNNXXoo",
        "norm    2.318        xxccvvii",
        "6.2% zero              ..::--",
        "                     ==**##%%",
        "",
        "conv1                c01      c00      c02",
        "conv2d 3x4x4         MMNNXXoo ====----",
        "a       [-2, 1.75]   xxccvvii ::::....",
        "                       ..::--   iiiivv",
        "                     ==**##%% vvccccxx",
        "",
        "dL/da   [-1.75, 2]   @@%%##** xxxxcccc",
        "norm    5.184        ==--::.. vvvviiii",
        "37.5% zero             iivvcc   ....::",
        "                     xxooXXNN ::----==",
        "",
        "dL/dW   [-4, 3]      ::::         ####",
        "norm    5.477        ::::         ####",
        "/ |W|   0.5000                MMMM         ====",
        "                              MMMM         ====",
        "",
        "channels by falling mean |a dL/da|: what the objective would change without them",
        "scale layer: ' .:-=+*#%@' from 0 up, 'MNXosxcvi ' below",
        "",
        "layer   |dL/da|  1e-4        10   min, max  zeros  |dL/dW|/|W|  1e-4         1",
        "──────────────────────────────────────────────────────────────────────────────",
        "input     2.318  ████████████▎   -1, 0.875   6.2%",
        "conv1  5.184e-4  ██               -1.75, 2  37.5%       0.5000  █████████████",
        "bars: logarithmic, between the ends in their heading",
        "from conv1 back to input: |dL/da| times 4471",
        "",
        "parameter     shape    |dL/dW|  |W|   ratio  zeros",
        "──────────────────────────────────────────────────",
        "conv1.weight  3x1x2x2    5.477   10  0.5000  66.7%",
        "conv1.bias    1              1    0       -     0%",
        "",
    ]
    assert text[text.index("dL/d conv1.weight  3x1x2x2") :] == [
        "dL/d conv1.weight  3x1x2x2",
        "  [0, 0]   [1, 0]   [2, 0]",
        "   0  3     1  0     0  0",
        "  -4  0     0  0     0  2",
        "",
        "dL/d conv1.bias  1",
        "  1",
    ]


def test_where_there_is_no_room_for_the_mirror_there_is_none() -> None:
    for width in (40, 46):
        text = lines(backward(BACKWARD), width=width)
        assert not any(line.startswith("dL/dW") for line in text)
        assert any(line.startswith("layer") for line in text)
        assert not any(line.startswith("bars:") for line in text)
    assert any("c01" in line for line in lines(backward(BACKWARD), width=47))


def test_what_is_reduced_is_told_and_nothing_else() -> None:
    assert not any("means" in line for line in lines(forward(VIEW)) + lines(backward(BACKWARD)))
    large, long = np.ones((1, 30, 30)), np.ones(500)
    forward_said = lines(forward(ForwardView(SUBJECT, (row("a", "relu", large), row("b", "linear", long)))))
    assert "maps larger than 8x8 are shown as means of blocks" in forward_said
    assert "vectors longer than 62 are shown as means of neighbours" in forward_said
    both = gradient("a", "relu", large), gradient("b", "linear", long)
    weight = np.ones((500, 3))
    parameters = (ParameterRow("b", "weight", weight.shape, statistics(weight), 1.0, 1.0, weight),)
    flow = tuple(FlowRow(each.name, 1.0, None, None) for each in both)
    said = {
        plain: lines(backward(BackwardView(SUBJECT, None, both, parameters, flow)), width=140, color=color)
        for plain, color in ((True, None), (False, "truecolor"))
    }
    for plain, text in said.items():
        for caption in (
            "maps larger than 14x14: means of blocks",
            "vectors longer than 119: means of neighbours",
            "matrices larger than 14x119: means of blocks",
        ):
            assert caption in text
        assert ("more than 8 rows: two rows share a line, as their means" in text) == plain


def test_the_map_of_a_filter_is_named_where_it_has_several() -> None:
    weight = np.zeros((3, 12, 2, 2))
    weight[1, 11], weight[0, 4], weight[2, 0] = 1, -1, 2
    parameter = ParameterRow("conv1", "weight", weight.shape, statistics(weight), 1.0, 1.0, weight)
    text = lines(backward(replace(BACKWARD, parameters=(parameter,))), width=80)
    assert any(line.endswith("of c11   of c04   of c00") for line in text)
    assert "of each filter the strongest map" in text


def test_of_many_layers_some_are_drawn_and_all_are_told() -> None:
    names = [f"tanh{index}" for index in range(40)]
    rows = tuple(gradient(name, "tanh", np.full((1, 2, 2), index + 1.0)) for index, name in enumerate(names))
    flow = tuple(FlowRow(row.name, row.statistics.norm, None, None) for row in rows)
    parameters = tuple(
        ParameterRow(name, "weight", (1, 1), statistics(WEIGHT), 1.0, 1.0, WEIGHT[:1, 0]) for name in names
    )
    text = lines(backward(BackwardView(Subject("x"), None, rows, parameters, flow)), width=80)
    assert "16 of 40 layers are drawn; others by --layer NAME" in text
    assert sum(line.startswith("dL/da ") for line in text) == 16
    table = text[text.index("bars: logarithmic, between the ends in their heading") - 40 :]
    assert [line.split()[0] for line in table[:40]] == names


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        array_shapes(min_dims=1, max_dims=3, max_side=30).flatmap(
            lambda shape: arrays(np.float32, shape, elements=st.floats(width=32), fill=st.floats(width=32))
        ),
        max_size=3,
    ),
    st.integers(30, 160),
    st.sampled_from([None, "truecolor"]),
)
def test_any_numbers_in_any_width(values: list[np.ndarray], width: int, color: str | None) -> None:
    rows = tuple(row(f"layer{place}", "conv2d", array) for place, array in enumerate(values))
    gradients = tuple(gradient(each.name, each.type, each.values) for each in rows)
    flow = tuple(FlowRow(each.name, each.statistics.norm, None, None) for each in rows)
    back = BackwardView(Subject("x"), None, gradients, (), flow)
    for drawn in (forward(ForwardView(Subject("x"), rows)), backward(back)):
        assert max(len(line) for line in lines(drawn, width=width, color=color)) <= width
