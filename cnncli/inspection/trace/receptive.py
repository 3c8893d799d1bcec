"""Which part of the input image a number sees: from the layers' windows alone, exactly."""

from __future__ import annotations

from cnncli.graph import INPUT, Graph
from cnncli.inspection.trace.result import Place
from cnncli.inspection.trace.values import single
from cnncli.inspection.views.board import Box
from cnncli.layers.base import Part, Shape


def seen(graph: Graph, name: str, index: Place, *, clip: bool = False, training: bool = False) -> Part:
    """The part of the network's input from which the element `index` of the value `name` is made.

    As published receptive fields have it, it goes on through paddings as if there were more image. With `clip` what is
    padding is left out at every layer, which may leave less of the image, too: a pooling that ignores the last column
    never shows it to whoever pads. Source: Araujo, Norris, Sim, "Computing receptive fields of convolutional neural
    networks", Distill 2019.
    """
    parts = {name: single(index)}
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
