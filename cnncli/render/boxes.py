"""What is written in the boxes of a network, in the terminal and in a PNG alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.inspection.views.architecture import Box

Pair = tuple[int, int]

MEANINGS = {
    "parameters": "has parameters",
    "rectifier": "rectifies",
    "pool": "pools",
    "join": "joins",
    "other": "other",
}
"""Of the kinds of layers."""


def box_name(box: Box) -> str:
    """conv1, or conv1 + relu1."""
    return " + ".join(box.names)


def box_type(box: Box) -> str:
    """The types, and the first one's kernel with its stride and what else there is to it: conv2d 5x5/2 dil 2 groups 4
    + relu."""
    if box.kind == "input":
        return ""
    return " + ".join([" ".join([box.types[0], *_details(box)]), *box.types[1:]])


def _details(box: Box) -> Iterator[str]:
    if box.window is not None:
        kernel, stride = box.window
        yield shape_text(kernel) + ("" if stride == (1, 1) else f"/{_short(stride)}")
    if box.dilation != (1, 1):
        yield f"dil {_short(box.dilation)}"
    if box.groups > 1:
        yield f"groups {box.groups}"


def _short(pair: Pair) -> str:
    """2, or 2x1 where height and width differ."""
    return str(pair[0]) if pair[0] == pair[1] else shape_text(pair)
