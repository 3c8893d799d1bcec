"""What is written in the boxes of a network, in the terminal and in a PNG alike."""

from __future__ import annotations

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
    """The types, and the first one's window with its stride: conv2d 5x5/2 + relu."""
    if box.kind == "input":
        return ""
    window = "" if box.window is None else f" {_window(*box.window)}"
    return " + ".join([box.types[0] + window, *box.types[1:]])


def _window(extent: Pair, stride: Pair) -> str:
    text = shape_text(extent)
    if stride == (1, 1):
        return text
    return f"{text}/{stride[0] if stride[0] == stride[1] else shape_text(stride)}"
