"""What of the input image a number sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.engine import Executor, LogitObjective
from cnncli.errors import ShapeError, UsageError
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.receptive import ReceptiveField, box_of, receptive_fields, seen
from cnncli.inspection.subject import Subject
from cnncli.inspection.trace import Number, Scene, Trace, field_of
from cnncli.inspection.views.board import Sheet
from cnncli.inspection.views.receptive_field import receptive_field_board
from cnncli.layers import LAYERS
from cnncli.layers.base import Shape
from cnncli.losses import LOSSES
from tests.inspection.trace.networks import scene_of
from tests.inspection.trace.published import alexnet_v2, mobilenet_v1, resnet50_v1, vgg16
from tests.parity.random_graphs import random_graph

Array = NDArray[Any]
MSE = LOSSES["mse"]()
PUBLISHED = [(vgg16, 212, 32, 90), (resnet50_v1, 483, 32, 239), (mobilenet_v1, 315, 32, 126), (alexnet_v2, 195, 32, 64)]


@pytest.mark.parametrize(
    ("net", "size", "stride", "padding"), PUBLISHED, ids=lambda value: getattr(value, "__name__", "")
)
def test_published_ones(net: Callable[[], Graph], size: int, stride: int, padding: int) -> None:
    graph = net()
    name = graph.output.name
    assert min(graph.output.shape[1:]) > 1
    first, second = (box_of(seen(graph, name, (0, at, at))) for at in (0, 1))
    assert first == (-padding, -padding, size - padding, size - padding)
    assert second == tuple(edge + stride for edge in first)
    found = receptive_fields(graph)[name]
    assert found == ReceptiveField((size, size), (stride, stride), (padding, padding))


def test_the_padding_of_same_depends_on_the_size_of_the_image() -> None:
    conv = LAYERS["conv2d"](out_channels=1, kernel_size=3, stride=2, padding="same")
    for size, padding in ((9, 1), (8, 0)):
        graph = build((1, size, size), [("c", conv, (INPUT,))])
        assert receptive_fields(graph)["c"] == ReceptiveField((3, 3), (2, 2), (padding, padding))


@pytest.mark.parametrize("seed", range(25))
def test_tables_say_what_traces_say(seed: int) -> None:
    """Of any position, with all its channels: the table's box, moved by its strides."""
    graph = random_graph(seed)
    scene = scene_of(graph, MSE)
    rng = np.random.default_rng(seed)
    compared = 0
    for name, found in receptive_fields(graph).items():
        shape = graph.shape_of(name)
        if found is None or len(shape) != 3 or len(graph.input_shape) != 3:
            continue
        _, *at = rng.integers(shape).tolist()
        traced = [field(scene, name, (channel, *at)) for channel in range(shape[0])]
        assert {each.stride for each in traced} == {found.stride}
        assert tuple(max(each.padding[axis] for each in traced) for axis in (0, 1)) == found.padding
        top, left = (place * step - pad for place, step, pad in zip(at, found.stride, found.padding, strict=True))
        (height, width), boxes = found.size, np.array([each.box for each in traced])
        assert (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)) == (top, left, top + height, left + width)
        compared += 1
    assert compared or len(graph.input_shape) != 3


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("seed", range(25))
def test_the_gradient_of_the_input_lies_in_the_box(seed: int, training: bool) -> None:
    graph = random_graph(seed)
    rng = np.random.default_rng(seed)
    model = Model.create(graph, seed=1, dtype=np.float64)
    x = rng.normal(size=(2, *graph.input_shape))
    with Executor(model, workers=1) as executor:
        for node in graph.nodes:
            index = tuple(int(rng.integers(size)) for size in node.shape)
            objective = LogitObjective(node.name, np.array([index]))
            gradient = executor.differentiate(x, objective, training=training, everything=True).input_gradient
            assert gradient is not None
            part = seen(graph, node.name, index, clip=True, training=training)
            assert not outside(gradient[0], box_of(part)).any()
            wide = box_of(seen(graph, node.name, index, training=training))
            assert not any(part) or all(
                inner >= outer if at < 2 else inner <= outer
                for at, (inner, outer) in enumerate(zip(box_of(part), wide, strict=True))
            )


def outside(gradient: Array, box: tuple[int, int, int, int]) -> Array:
    """The gradient (C, H, W) with zeros in the box."""
    rest = gradient.copy()
    top, left, bottom, right = box
    rest[:, top:bottom, left:right] = 0
    return rest


@pytest.mark.parametrize("seed", range(40))
def test_the_box_is_no_larger_than_what_a_positive_network_reacts_to(seed: int) -> None:
    """Where windows leave no gaps."""
    rng = np.random.default_rng(seed)
    graph = _gapless(rng)
    model = Model.create(graph, dtype=np.float64)
    model.flat[...] = 1
    x = np.ones((1, *graph.input_shape))
    with Executor(model, workers=1) as executor:
        for node in graph.nodes:
            for index in {tuple(rng.integers(node.shape).tolist()) for _ in range(6)}:
                objective = LogitObjective(node.name, np.array([index]))
                gradient = executor.differentiate(x, objective, everything=True).input_gradient
                assert gradient is not None
                pixels = np.argwhere(gradient[0].any(axis=0))
                top, left, bottom, right = box_of(seen(graph, node.name, index, clip=True))
                assert (*pixels.min(axis=0), *(pixels.max(axis=0) + 1)) == (top, left, bottom, right)


def _gapless(rng: np.random.Generator) -> Graph:
    """Convolutions and mean poolings of any stride up to their size, with `same` and other paddings, and branches."""
    layers: list[Any] = []
    shapes: dict[str, Shape] = {INPUT: (1, 9, 8)}
    last = INPUT

    def add(name: str, layer: Any, *inputs: str) -> str:
        try:
            shapes[name] = layer.infer(tuple(shapes[source] for source in inputs))
        except ShapeError:
            return inputs[0]
        layers.append((name, layer, inputs))
        return name

    for step in range(3):
        kernel = rng.integers(1, 4, 2).tolist()
        stride = [int(rng.integers(1, k + 1)) for k in kernel]
        padding = "same" if rng.random() < 0.5 else [int(rng.integers(0, k // 2 + 1)) for k in kernel]
        options: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding}
        conv = LAYERS["conv2d"](out_channels=2, **options)
        way = add(f"conv{step}", conv, last)
        other = add(f"pool{step}", LAYERS["avg_pool2d"](**options), last)
        fits = shapes[way][1:] == shapes[other][1:] and way != other
        last = add(f"both{step}", LAYERS["concat"](), way, other) if fits else way
    add("flat", LAYERS["flatten"](), last)
    return build(shapes[INPUT], layers)


def field(scene: Scene, name: str, index: tuple[int, ...]) -> Any:
    return field_of(scene, number(scene, name, index))


def number(scene: Scene, name: str, index: tuple[int, ...]) -> Number:
    return Number(name, None, "", scene.model.graph.shape_of(name), index, 0, False)


def sheet(scene: Scene, name: str, index: tuple[int, ...]) -> Sheet:
    of = number(scene, name, index)
    trace = Trace(Subject(""), of, 0, 0, None, field_of(scene, of))
    (found,) = receptive_field_board(trace, scene.model.graph).sheets
    return found


def test_size_stride_and_padding() -> None:
    graph = build(
        (1, 10, 12),
        [
            ("a", LAYERS["conv2d"](out_channels=2, kernel_size=[3, 5], stride=2, padding=[1, 2]), (INPUT,)),
            ("b", LAYERS["max_pool2d"](kernel_size=2, stride=1), ("a",)),
            ("g", LAYERS["global_avg_pool2d"](), ("b",)),
        ],
    )
    scene = scene_of(graph, MSE)
    found = field(scene, "b", (1, 0, 4))
    assert (found.size, found.stride, found.padding) == ((5, 7), (2, 2), (1, 2))
    assert (found.box, found.inside) == ((-1, 6, 4, 13), (0, 6, 4, 12))
    drawn = sheet(scene, "b", (1, 0, 4))
    assert drawn.stem == "02_b__receptive-field"
    assert drawn.notes[0] == "receptive field: size 5x7, stride 2, padding 1x2"
    assert drawn.notes[1].startswith("sees rows 0 to 3, columns 6 to 11; the gradient is not 0 in ")
    assert drawn.notes[2] == "with the padding: rows -1 to 3, columns 6 to 12"
    assert [[tile.label for tile in row.tiles] for row in drawn.rows] == [["c00", "what it sees"]] * 2
    assert all(row.tiles[0].boxes == (found.inside,) and row.signed for row in drawn.rows)
    np.testing.assert_array_equal(drawn.rows[1].array, found.gradient)
    np.testing.assert_array_equal(drawn.rows[1].tiles[1].values, found.gradient[0, 0:4, 6:12])
    whole = field(scene, "g", (0,))
    assert (whole.stride, whole.padding, whole.inside) == (None, None, (0, 0, 10, 12))
    itself = field(scene, INPUT, (0, 3, 4))
    assert (itself.box, itself.touched) == ((3, 4, 4, 5), 1)


def test_batch_norm_in_training_sees_everything() -> None:
    layers = [("n", LAYERS["batch_norm"](), (INPUT,)), ("c", LAYERS["conv2d"](out_channels=1, kernel_size=2), ("n",))]
    graph = build((2, 5, 6), layers)
    assert box_of(seen(graph, "c", (0, 1, 1))) == (1, 1, 3, 3)
    assert box_of(seen(graph, "c", (0, 1, 1), training=True)) == (0, 0, 5, 6)


def test_a_window_may_lie_in_the_padding_alone() -> None:
    graph = build((1, 3, 3), [("c", LAYERS["conv2d"](out_channels=1, kernel_size=1, padding=1), (INPUT,))])
    scene = scene_of(graph, MSE)
    found = field(scene, "c", (0, 0, 0))
    assert (found.inside, found.touched) == ((0, 0, 0, 0), 0)
    assert sheet(scene, "c", (0, 0, 0)).notes[-1] == "it sees nothing of the image, only padding"


def test_what_a_pooling_leaves_out_is_not_seen_through_padding() -> None:
    """8 pixels in steps of 3 are two windows, and then two pixels that nobody sees."""
    layers = [
        ("pool", LAYERS["max_pool2d"](kernel_size=3), (INPUT,)),
        ("conv", LAYERS["conv2d"](out_channels=1, kernel_size=3, padding=1), ("pool",)),
    ]
    graph = build((1, 8, 8), layers)
    assert box_of(seen(graph, "conv", (0, 1, 1))) == (0, 0, 9, 9)
    assert box_of(seen(graph, "conv", (0, 1, 1), clip=True)) == (0, 0, 6, 6)


def test_a_flat_input_is_no_image() -> None:
    graph = build((4,), [("fc", LAYERS["linear"](out_features=2), (INPUT,))])
    with pytest.raises(UsageError, match="the network's input \\(4,\\) is no image"):
        field(scene_of(graph, MSE), "fc", (0,))
