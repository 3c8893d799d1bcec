"""What of the input image a number sees, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, LogitObjective
from cnncli.errors import UsageError
from cnncli.graph import INPUT
from cnncli.inspection.statistics import ranking, statistics
from cnncli.inspection.trace.receptive import box_of, seen
from cnncli.inspection.trace.result import Field, Number, Pair
from cnncli.inspection.trace.scene import Scene
from cnncli.inspection.views.board import Board, Box, Row, Sheet, Tile, channel_name, layer_stem
from cnncli.inspection.views.subject import Subject
from cnncli.inspection.views.summary import receptive_fields

Array = NDArray[Any]

CHANNELS = 4
"""How many channels of the input are drawn: the strongest."""


def field_of(scene: Scene, subject: Subject, number: Number) -> Field:
    """What the number sees, and what of that it reacts to. Raises UsageError where the input is no image."""
    graph, training = scene.model.graph, scene.training
    if len(graph.input_shape) != 3:
        raise UsageError(f"--receptive-field: the network's input {graph.input_shape} is no image (C, H, W)")
    box = box_of(seen(graph, number.node, number.index, training=training))
    padding = None
    if len(number.shape) == 3:
        top, left, _, _ = box_of(seen(graph, number.node, (number.index[0], 0, 0), training=training))
        padding = (-top, -left)
    window = receptive_fields(graph)[number.node]
    inside = box_of(seen(graph, number.node, number.index, clip=True, training=training))
    gradient = _gradient(scene, number)
    touched = int(np.count_nonzero((gradient != 0).any(axis=0)))
    rows = (_input(scene, subject, number, inside), _row((f"d {number.name} / d input",), "gradient", gradient, inside))
    names = list(graph.consumers)  # the input, then the layers in their order
    stem = layer_stem(names.index(number.node), number.node, "receptive-field")
    size = (box[2] - box[0], box[3] - box[1])
    stride = None if window is None or padding is None else window.stride
    notes = (_extent(size, stride, padding), *_notes(box, inside, touched))
    board = Board("trace", subject, (Sheet(stem, rows, notes=notes),))
    return Field(box, inside, size, stride, padding, gradient, touched, board)


def _input(scene: Scene, subject: Subject, number: Number, inside: Box) -> Row:
    """The input with a frame around what the number sees, and what lies in the frame."""
    title = (number.name, number.type, "receptive field")
    x = scene.recording.activations[INPUT][subject.sample]
    picture = subject.picture
    if picture is None or picture.shape[:2] != x.shape[1:]:
        return _row(title, "activation", x, inside)
    tiles = (Tile("input", picture, boxes=(inside,)), *_within(picture, inside))
    return Row(title, "input", tiles, node=INPUT, type=INPUT, index=0)


def _within(picture: Array, box: Box) -> tuple[Tile, ...]:
    """What lies in the frame, if anything does."""
    top, left, bottom, right = box
    part = picture[top:bottom, left:right]
    return (Tile("what it sees", part),) if part.size else ()


def _extent(size: Pair, stride: Pair | None, padding: Pair | None) -> str:
    """As tables of receptive fields have it."""
    known = (("size", size), ("stride", stride), ("padding", padding))
    pairs = ((name, *pair) for name, pair in known if pair is not None)
    return "receptive field: " + ", ".join(f"{name} {h if h == w else f'{h}x{w}'}" for name, h, w in pairs)


def _notes(box: Box, inside: Box, touched: int) -> tuple[str, ...]:
    """The frame in words."""
    top, left, bottom, right = inside
    area = (bottom - top) * (right - left)
    if not area:
        return ("it sees nothing of the image, only padding",)
    notes = [f"sees {_rows(inside)}; the gradient is not 0 in {touched} of these {area} pixels"]
    return (*notes, f"with the padding: {_rows(box)}") if box != inside else tuple(notes)


def _rows(box: Box) -> str:
    top, left, bottom, right = box
    return f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"


def _row(title: tuple[str, ...], what: str, maps: Array, box: Box) -> Row:
    count = len(maps)
    chosen = sorted(ranking(maps)[:CHANNELS])
    tiles = tuple(Tile(channel_name(channel, count), maps[channel], channel, boxes=(box,)) for channel in chosen)
    if count == 1:
        tiles += _within(maps[0], box)
    return Row(
        title,
        what,
        tiles,
        node=INPUT,
        type=INPUT,
        index=0,
        shape=maps.shape,
        signed=True,
        statistics=statistics(maps),
        total=count,
        array=maps,
    )


def _gradient(scene: Scene, number: Number) -> Array:
    """d(number)/d(input), of its own sample."""
    x = scene.recording.activations[INPUT]
    if number.node == INPUT:
        one = np.zeros(x.shape[1:])
        one[number.index] = 1
        return one
    with Executor(scene.model, workers=1, seed=scene.seed) as executor:
        objective = LogitObjective(number.node, np.array([number.index]))
        result = executor.differentiate(x, objective, training=scene.training, everything=True)
    assert result.input_gradient is not None
    return np.asarray(result.input_gradient[number.sample])
