from __future__ import annotations

from pathlib import Path

import pytest

from cnncli.config import load
from cnncli.graph import Graph, Model, build
from cnncli.inspection.views.architecture import SINGLE, Box, architecture_view
from cnncli.layers import LAYERS
from tests.inspection.views.makers import CHAIN, INPUT_SHAPE, chain

CONFIGS = Path(__file__).parents[3] / "configs"


def boxes(graph: Graph) -> dict[str, Box]:
    return {box.name: box for box in architecture_view(Model.create(graph), "net").boxes}


def test_a_box_for_each_layer() -> None:
    view = architecture_view(Model.create(chain(INPUT_SHAPE, *CHAIN)), "net")
    assert (view.name, view.layers, view.parameters) == ("net", 6, 91)
    conv = view.boxes[1]
    assert conv == Box(("conv1",), ("conv2d",), ("input",), (4, 4, 4), 40, "parameters", ((3, 3), (1, 1)))
    assert [box.kind for box in view.boxes] == [
        "input",
        "parameters",
        "rectifier",
        "pool",
        "other",
        "other",
        "parameters",
    ]


@pytest.mark.parametrize(
    ("layer", "window"),
    [
        (LAYERS["conv2d"](out_channels=1, kernel_size=1), ((1, 1), (1, 1))),
        (LAYERS["conv2d"](out_channels=1, kernel_size=1, stride=2), ((1, 1), (2, 2))),
        (LAYERS["max_pool2d"](kernel_size=(2, 3)), ((2, 3), (2, 3))),
        (LAYERS["global_avg_pool2d"](), None),
        (LAYERS["relu"](), None),
        (LAYERS["batch_norm"](), None),
    ],
)
def test_a_window_is_told_where_there_is_more_to_it_than_a_position(layer: object, window: object) -> None:
    (_, box) = boxes(build((2, 8, 9), [("it", layer, ("input",))])).values()  # type: ignore[list-item]
    assert box.window == window


def test_a_kernel_is_told_as_it_is_written() -> None:
    layer = LAYERS["conv2d"](out_channels=4, kernel_size=3, dilation=(2, 1), groups=2, stride=2)
    (_, box) = boxes(build((2, 8, 9), [("it", layer, ("input",))])).values()
    assert (box.window, box.dilation, box.groups) == (((3, 3), (2, 2)), (2, 1), 2)


def test_large_networks_have_a_box_for_what_follows_without_changing_the_shape() -> None:
    layers = []
    name = "input"
    for index in range(SINGLE // 3 + 1):
        for kind, options in (
            ("conv2d", {"out_channels": 2, "kernel_size": 3, "padding": 1}),
            ("batch_norm", {}),
            ("relu", {}),
        ):
            layers.append((f"{kind}{index}", LAYERS[kind](**options), (name,)))
            name = f"{kind}{index}"
    layers.append(("both", LAYERS["add"](), ("relu0", name)))
    layers.append(("pool", LAYERS["max_pool2d"](kernel_size=2), ("both",)))
    found = boxes(build((2, 8, 8), layers))
    assert found["relu1"].names == ("conv2d1", "batch_norm1", "relu1")
    assert found["relu1"].types == ("conv2d", "batch_norm", "relu")
    assert found["relu1"].parameters == 2 * 2 * 9 + 2 + 4
    assert (found["both"].names, found["both"].inputs, found["both"].kind) == (("both",), ("relu0", name), "join")
    assert found["pool"].inputs == ("both",)


def test_no_layer_is_lost_and_every_input_is_a_box() -> None:
    for config in ("resnet-mini", "inception-mini", "depthwise-mini", "mlp-sigmoid"):
        model = Model.create(load(CONFIGS / f"{config}.yaml").graph)
        view = architecture_view(model, config)
        names = [name for box in view.boxes for name in box.names]
        assert sorted(names) == sorted(["input", *(node.name for node in model.graph.nodes)])
        known = {box.name for box in view.boxes}
        assert {source for box in view.boxes for source in box.inputs} <= known
        assert view.parameters == model.flat.size
