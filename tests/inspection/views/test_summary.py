from __future__ import annotations

from cnncli.graph import INPUT, Model, build
from cnncli.inspection.receptive import ReceptiveField, receptive_fields
from cnncli.inspection.views.summary import summary_view
from cnncli.layers import LAYERS
from tests.inspection.views.makers import chain

PIXEL = ReceptiveField((1, 1), (1, 1), (0, 0))


def test_summary_counts_parameters_and_work(model: Model) -> None:
    view = summary_view(model)
    assert [(row.name, row.parameters, row.macs) for row in view.layers if row.parameters] == [
        ("conv1", 4 * 9 + 4, 4 * 9 * 16),
        ("linear1", 3 * 16 + 3, 3 * 16),
    ]
    assert view.parameters == 40 + 51
    assert view.macs == 576 + 48
    assert view.layers[0].receptive_field == ReceptiveField((3, 3), (1, 1), (0, 0))
    assert view.layers[-1].receptive_field is None


def test_the_receptive_field_of_vgg16() -> None:
    """Araujo, Norris, Sim (2019), table 1: 212, stride 32, padding 90."""
    layers: list[tuple[str, str, dict[str, object]]] = []
    for block, convolutions in enumerate((2, 2, 3, 3, 3)):
        for place in range(convolutions):
            layers.append((f"conv{block}{place}", "conv2d", {"out_channels": 1, "kernel_size": 3, "padding": 1}))
        layers.append((f"pool{block}", "max_pool2d", {"kernel_size": 2}))
    fields = receptive_fields(chain((1, 224, 224), *layers))
    assert fields["pool4"] == ReceptiveField((212, 212), (32, 32), (90, 90))


def test_elements_of_a_flat_input_are_pixels() -> None:
    layers = [("a", "relu", {}), ("b", "dropout", {}), ("c", "linear", {"out_features": 2})]
    fields = receptive_fields(chain((4,), *layers))
    assert fields == {INPUT: PIXEL, "a": PIXEL, "b": PIXEL, "c": None}


def test_the_receptive_field_of_branches_is_what_any_of_them_sees() -> None:
    near, far = (LAYERS["conv2d"](out_channels=1, kernel_size=size, padding="same") for size in (1, 5))
    graph = build((1, 9, 9), [("a", near, (INPUT,)), ("b", far, (INPUT,)), ("c", LAYERS["add"](), ("a", "b"))])
    assert receptive_fields(graph)["c"] == ReceptiveField((5, 5), (1, 1), (2, 2))
