"""What does not fit is told with the arithmetic, the option at fault and the nearest fix."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cnncli.errors import ShapeError
from cnncli.layers import LAYERS
from cnncli.layers.base import Shape

SHAPES: list[tuple[str, dict[str, Any], tuple[Shape, ...], str | None, list[str]]] = [
    ("linear", {"out_features": 3}, ((2, 4, 5),), None, ["(F,)", "(2, 4, 5)", "flatten", "40"]),
    ("linear", {"out_features": 3, "weight": [[1, 2, 3]]}, ((3,),), "weight", ["(1, 3)", "(3, 3)"]),
    ("linear", {"out_features": 3, "bias": [1, 2]}, ((3,),), "bias", ["(2,)", "(3,)"]),
    (
        "conv2d",
        {"out_channels": 2, "kernel_size": 3, "weight": [[1, 2, 3]] * 3},
        ((1, 5, 5),),
        "weight",
        ["(3, 3)", "(2, 1, 3, 3)"],
    ),
    ("conv2d", {"out_channels": 2, "kernel_size": 3, "groups": 2}, ((3, 5, 5),), "groups", ["3 / 2", "leaves 1"]),
    (
        "conv2d",
        {"out_channels": 2, "kernel_size": 5, "dilation": 2},
        ((1, 8, 9),),
        "kernel_size",
        ["height 8", "(2*(5 - 1) + 1)", "at most 4", "at least 1"],
    ),
    ("conv2d", {"out_channels": 2, "kernel_size": 1}, ((9,),), None, ["(C, H, W)", "(9,)", "flattened"]),
    ("max_pool2d", {"kernel_size": 3}, ((1, 2, 2),), "kernel_size", ["(2 + 0 - 3)/3 + 1 = 0", "at most 2"]),
    ("max_pool2d", {"kernel_size": 3, "padding": 2}, ((1, 9, 9),), "padding", ["at most 3 // 2 = 1", "gets 2"]),
    ("avg_pool2d", {"kernel_size": [4, 2], "padding": [2, 2]}, ((1, 9, 9),), "padding", ["width 2", "at most 2 // 2"]),
    ("global_avg_pool2d", {}, ((7,),), None, ["(C, H, W)", "(7,)", "leave this layer out"]),
    ("batch_norm", {"weight": [1, 2]}, ((3, 4, 4),), "weight", ["(2,)", "(3,)"]),
    (
        "add",
        {},
        ((4, 8, 8), (2, 8, 8)),
        None,
        ["(4, 8, 8)", "input 2 is (2, 8, 8)", "kernel_size 1 and out_channels 4"],
    ),
    ("add", {}, ((4, 8, 8), (4, 8, 8), (4, 4, 4)), None, ["input 3 is (4, 4, 4)", "strides"]),
    ("add", {}, ((4,), (5,)), None, ["(4,)", "(5,)"]),
    ("concat", {}, ((4, 8, 8), (2, 8, 7)), None, ["first axis", "(4, 8, 8)", "input 2 is (2, 8, 7)"]),
    ("concat", {}, ((4,), (4, 1, 1)), None, ["(4, 1, 1)"]),
]


@pytest.mark.parametrize(("kind", "options", "shapes", "option", "parts"), SHAPES)
def test_shapes_that_do_not_fit(
    kind: str, options: dict[str, Any], shapes: tuple[Shape, ...], option: str | None, parts: list[str]
) -> None:
    with pytest.raises(ShapeError) as caught:
        LAYERS[kind].model_validate(options).infer(shapes)
    assert caught.value.option == option
    for part in parts:
        assert part in caught.value.message


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("linear", {"out_features": 2, "weight": [[1, 2], [3]]}, "not rectangular: [0] has shape (2,), but [1] has (1,)"),
    ("linear", {"out_features": 2, "weight": [[1, "x"]]}, "at [0][1]: expected a number, got 'x'"),
    ("linear", {"out_features": 2, "weight": [[1, True]]}, "at [0][1]: expected a number, got True"),
    ("linear", {"out_features": 2, "weight": [[1, float("inf")]]}, "at [0][1]: expected a finite number, got inf"),
    ("linear", {"out_features": 2, "weight": [10**400]}, "at [0]: expected a finite number"),
    ("linear", {"out_features": 2, "weight": [[1], 2]}, "at [1]: expected a list of numbers, got 2"),
    ("linear", {"out_features": 2, "weight": []}, "the list is empty"),
    ("linear", {"out_features": 2, "weight": [[[[[1]]]]]}, "more than 4 deep"),
    ("linear", {"out_features": 2, "weight": "ones"}, "expected a list of numbers, got 'ones'"),
    ("linear", {"out_features": 2, "bias": "yes"}, "expected true, false or a list of numbers, got 'yes'"),
    ("linear", {"out_features": 2, "init": {"bias": "orthogonal"}}, "needs a matrix"),
    ("linear", {"out_features": 2, "init": {"weight": "constant"}}, "Field required"),
    ("linear", {"out_features": 2, "init": {"weight": "he_norml"}}, "'he_norml'"),
    ("batch_norm", {"init": {"weight": "orthogonal"}}, "needs a matrix"),
    ("batch_norm", {"affine": False, "bias": [1.0]}, "affine: false"),
    ("dropout", {"p": 1.5}, "less than or equal to 1"),
    ("softplus", {"beta": 0}, "greater than 0"),
    ("leaky_relu", {"negative_slope": float("nan")}, "finite number"),
    ("batch_norm", {"eps": float("inf")}, "finite number"),
    ("gelu", {"approximate": "erf"}, "'none' or 'tanh'"),
    ("max_pool2d", {}, "Field required"),
    ("relu", {"slope": 0.1}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("kind", "options", "text"), OPTIONS)
def test_options_that_make_no_sense(kind: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LAYERS[kind].model_validate(options)
    (problem,) = caught.value.errors()
    assert text in problem["msg"]
