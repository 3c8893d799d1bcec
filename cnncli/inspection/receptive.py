"""Which part of the input image a number sees: from the layers' windows alone, exactly.

Source: Araujo, Norris, Sim, "Computing receptive fields of convolutional neural networks", Distill 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

from cnncli.graph import INPUT, Graph
from cnncli.layers.base import Part, Shape

Pair = tuple[int, int]
Box = tuple[int, int, int, int]
"""Rows and columns of pixels: (top, left, bottom, right), the last two exclusive."""


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that one output position sees, (height, width); strides and padding are the input's."""

    size: Pair
    stride: Pair
    padding: Pair


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField | None]:
    """For every value: size and padding are those of the box that its first position sees, with all of its channels;
    the padding is what of that lies before the image. None where every position sees everything."""
    fields: dict[str, ReceptiveField | None] = {INPUT: ReceptiveField((1, 1), (1, 1), (0, 0))}
    for node in graph.nodes:
        sources = [fields[name] for name in node.inputs]
        strides = [source.stride for source in sources if source is not None]
        window = node.layer.window()
        if window is None or len(strides) < len(sources):
            fields[node.name] = None
            continue
        if len(node.shape) != 3:  # each element of a flat input is a pixel
            fields[node.name] = fields[INPUT]
            continue
        first = (range(node.shape[0]), range(1), range(1))  # with all channels
        top, left, bottom, right = box_of(_seen(graph, node.name, first))
        height, width = (max(each) * step for each, step in zip(zip(*strides, strict=True), window[1], strict=True))
        fields[node.name] = ReceptiveField((bottom - top, right - left), (height, width), (-top, -left))
    return fields


def seen(graph: Graph, name: str, index: Shape, *, clip: bool = False, training: bool = False) -> Part:
    """The part of the network's input from which the element `index` of the value `name` is made.

    As published receptive fields have it, it goes on through paddings as if there were more image. With `clip` what is
    padding is left out at every layer, which may leave less of the image, too: a pooling that ignores the last column
    never shows it to whoever pads.
    """
    return _seen(graph, name, single(index), clip=clip, training=training)


def _seen(graph: Graph, name: str, part: Part, *, clip: bool = False, training: bool = False) -> Part:
    parts = {name: part}
    for node in reversed(graph.nodes):
        if node.name not in parts:
            continue
        part = parts[node.name]
        if training and node.layer.couples_batch:
            part = (part[0], *(range(size) for size in node.shape[1:]))
        for source, part_of_source in zip(node.inputs, node.layer.sees(part, node.input_shapes), strict=True):
            found = _clipped(part_of_source, graph.shape_of(source)) if clip else part_of_source
            if all(found):
                parts[source] = _hull(parts[source], found) if source in parts else found
    return parts.get(INPUT, (range(0),) * len(graph.input_shape))


def single(index: Shape) -> Part:
    """The part that is one element."""
    return tuple(range(i, i + 1) for i in index)


def box_of(part: Part) -> Box:
    """The pixels of a part (C, H, W)."""
    if not all(part):
        return (0, 0, 0, 0)
    _, rows, columns = part
    return (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


def _clipped(part: Part, shape: Shape) -> Part:
    """What of it is not padding."""
    clipped = []
    for axis, size in zip(part, shape, strict=True):
        before, count = max(0, -(axis.start // axis.step)), -((axis.start - size) // axis.step)
        clipped.append(axis[before : max(count, 0)])
    return tuple(clipped)


def _hull(part: Part, other: Part) -> Part:
    return tuple(range(min(a[0], b[0]), max(a[-1], b[-1]) + 1) for a, b in zip(part, other, strict=True))
