from __future__ import annotations

from dataclasses import replace

import pytest

from cnncli.inspection.views.architecture import Box
from cnncli.render.boxes import box_name, box_type

BOX = Box(("conv1", "relu1"), ("conv2d", "relu"), ("input",), (8, 14, 14), 80, "parameters", ((3, 3), (1, 1)))


def test_the_names_of_a_box() -> None:
    assert box_name(BOX) == "conv1 + relu1"


@pytest.mark.parametrize(
    ("box", "text"),
    [
        (BOX, "conv2d 3x3 + relu"),
        (replace(BOX, window=((5, 3), (2, 2))), "conv2d 5x3/2 + relu"),
        (replace(BOX, window=((3, 3), (2, 1))), "conv2d 3x3/2x1 + relu"),
        (replace(BOX, dilation=(2, 2), groups=4), "conv2d 3x3 dil 2 groups 4 + relu"),
        (replace(BOX, dilation=(2, 1)), "conv2d 3x3 dil 2x1 + relu"),
        (replace(BOX, window=None), "conv2d + relu"),
        (replace(BOX, kind="input"), ""),
    ],
)
def test_what_its_first_layer_is(box: Box, text: str) -> None:
    assert box_type(box) == text
