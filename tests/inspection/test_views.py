from __future__ import annotations

import math

import numpy as np
import pytest

from cnncli.engine import Executor, LogitObjective, Recording, record_backward, record_forward
from cnncli.errors import UsageError
from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection import views
from cnncli.inspection.views import Pick, ReceptiveField, Subject
from cnncli.layers import LAYERS

SUBJECT = Subject("x", samples=3, sample=1)
INPUT_SHAPE = (1, 6, 6)
CHAIN = (
    ("conv1", "conv2d", {"out_channels": 4, "kernel_size": 3}),
    ("relu1", "relu", {}),
    ("pool1", "max_pool2d", {"kernel_size": 2}),
    ("flatten1", "flatten", {}),
    ("dropout1", "dropout", {"p": 0.5}),
    ("linear1", "linear", {"out_features": 3}),
)


def chain(input_shape: tuple[int, ...], *layers: tuple[str, str, dict[str, object]]) -> Graph:
    names = [INPUT, *(name for name, _, _ in layers)]
    return build(
        input_shape,
        [
            (name, LAYERS[kind](**options), (before,))
            for before, (name, kind, options) in zip(names, layers, strict=False)
        ],
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.create(chain(INPUT_SHAPE, *CHAIN), seed=3, dtype=np.float64)


@pytest.fixture(scope="module")
def forward(model: Model) -> Recording:
    with Executor(model) as executor:
        return record_forward(executor, batch())


@pytest.fixture(scope="module")
def backward(model: Model) -> Recording:
    with Executor(model) as executor:
        return record_backward(executor, batch(), LogitObjective("linear1", (2,)))


def batch() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, *INPUT_SHAPE))


def test_forward_has_statistics_of_all_samples_and_values_of_one(model: Model, forward: Recording) -> None:
    view = views.forward_view(forward, model.graph, SUBJECT)
    assert [row.name for row in view.layers] == [INPUT, "conv1", "relu1", "pool1", "flatten1", "dropout1", "linear1"]
    conv = view.layers[1]
    assert (conv.type, conv.inputs, conv.shape) == ("conv2d", (INPUT,), (4, 4, 4))
    assert conv.statistics.min == forward.activations["conv1"].min()
    assert conv.statistics.size == 3 * 64
    assert np.array_equal(conv.values, forward.activations["conv1"][1])
    strengths = np.abs(conv.values).mean(axis=(1, 2))
    assert list(conv.ranked) == np.argsort(-strengths).tolist()


def test_backward_has_norms_ratios_and_the_objective(model: Model, backward: Recording) -> None:
    view = views.backward_view(backward, model, SUBJECT)
    assert view.objective == pytest.approx(backward.activations["linear1"][1, 2])
    assert [(row.node, row.key) for row in view.parameters] == [
        ("conv1", "weight"),
        ("conv1", "bias"),
        ("linear1", "weight"),
        ("linear1", "bias"),
    ]
    weight, bias, *_ = view.parameters
    gradient = backward.parameter_gradients["conv1"]["weight"]
    assert weight.gradient.norm == pytest.approx(np.linalg.norm(gradient.ravel()))
    assert weight.ratio == pytest.approx(
        weight.gradient.norm / np.linalg.norm(model.parameters["conv1"]["weight"].ravel())
    )
    assert bias.weight_norm == 0
    assert bias.ratio is None
    assert [row.name for row in view.layers][-1] == "linear1"


def test_what_the_objective_does_not_depend_on_is_left_out(model: Model) -> None:
    with Executor(model) as executor:
        recording = record_backward(executor, batch(), LogitObjective("pool1", (0, 0, 0)))
    view = views.backward_view(recording, model, SUBJECT)
    assert [row.name for row in view.layers] == [INPUT, "conv1", "relu1", "pool1"]


def test_feature_maps_leave_out_what_repeats_its_input(model: Model, forward: Recording) -> None:
    view = views.feature_maps(forward, model.graph, SUBJECT)
    assert [(panel.index, panel.node) for panel in view.panels] == [
        (0, INPUT),
        (1, "conv1"),
        (2, "relu1"),
        (3, "pool1"),
        (6, "linear1"),
    ]
    conv, relu, linear = view.panels[1], view.panels[2], view.panels[4]
    assert conv.signed
    assert not relu.signed
    assert conv.maps.shape == (4, 1, 4, 4)
    assert np.array_equal(conv.maps[:, 0], conv.array[list(conv.channels)])
    assert linear.maps.shape == (1, 1, 1, 3)
    assert linear.channels == ()


def test_a_layer_asked_for_by_name_is_drawn_even_if_it_repeats(model: Model, forward: Recording) -> None:
    view = views.feature_maps(forward, model.graph, SUBJECT, Pick(nodes=("flatten1",)))
    assert [panel.node for panel in view.panels] == ["flatten1"]


def test_branches_that_meet_are_no_repetition() -> None:
    layers = LAYERS["relu"](), LAYERS["tanh"](), LAYERS["add"](), LAYERS["concat"]()
    inputs = (INPUT,), (INPUT,), ("a", "b"), ("a", "c")
    graph = build((1, 2, 2), list(zip("abcd", layers, inputs, strict=True)))
    with Executor(Model.create(graph)) as executor:
        recording = record_forward(executor, np.ones((1, 1, 2, 2), np.float32))
    view = views.feature_maps(recording, graph, Subject("x"))
    assert [panel.node for panel in view.panels] == [INPUT, "a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("pick", "channels"),
    [
        (Pick(top=None), (0, 1, 2, 3)),
        (Pick(channels=(3, 1, 9)), (3, 1)),
        (Pick(channels=(2,), top=None), (2,)),
    ],
)
def test_channels_given_or_all(model: Model, forward: Recording, pick: Pick, channels: tuple[int, ...]) -> None:
    conv = views.feature_maps(forward, model.graph, SUBJECT, pick).panels
    drawn = next(panel for panel in conv if panel.node == "conv1")
    assert drawn.channels == channels
    assert not drawn.ranked


def test_the_strongest_channels_come_first(model: Model, forward: Recording) -> None:
    picked = views.feature_maps(forward, model.graph, SUBJECT, Pick(("conv1",), top=2)).panels[0]
    strengths = np.abs(forward.activations["conv1"][1]).mean(axis=(1, 2))
    assert list(picked.channels) == np.argsort(-strengths)[:2].tolist()
    assert picked.total == 4
    assert picked.ranked


def test_filters_of_convolutions_and_of_what_follows_a_flattened_image(model: Model) -> None:
    view = views.filters(model, Pick(top=None))
    assert [(panel.node, panel.what, panel.maps.shape) for panel in view.panels] == [
        ("conv1", "weight", (4, 1, 3, 3)),
        ("linear1", "weight", (3, 4, 2, 2)),
    ]
    assert all(panel.signed for panel in view.panels)
    linear = view.panels[1]
    assert np.array_equal(linear.maps.reshape(3, 16), model.parameters["linear1"]["weight"])


def test_the_weights_between_vectors_are_one_map() -> None:
    graph = chain((5,), ("a", "linear", {"out_features": 4}), ("b", "relu", {}), ("c", "linear", {"out_features": 2}))
    view = views.filters(Model.create(graph))
    assert [panel.maps.shape for panel in view.panels] == [(1, 1, 4, 5), (1, 1, 2, 4)]
    assert [panel.channels for panel in view.panels] == [(), ()]


def test_of_many_input_channels_the_strongest_are_kept_in_order() -> None:
    model = Model.create(chain((5, 4, 4), ("conv", "conv2d", {"out_channels": 2, "kernel_size": 3})))
    weight = model.parameters["conv"]["weight"]
    weight[...] = np.array([1, 5, 2, 4, 3])[:, None, None]
    (panel,) = views.filters(model, Pick(top=3)).panels
    assert panel.maps[0, :, 0, 0].tolist() == [5, 4, 3]
    assert panel.inside == 5


def test_gradients_show_values_and_weights_in_the_order_of_the_network(model: Model, backward: Recording) -> None:
    view = views.gradients(backward, model, SUBJECT)
    assert [(panel.node, panel.what) for panel in view.panels][:3] == [
        (INPUT, "gradient"),
        ("conv1", "gradient"),
        ("conv1", "weight-gradient"),
    ]
    assert all(panel.signed for panel in view.panels)


def test_nan_is_told_by_place(model: Model, forward: Recording) -> None:
    broken = {name: array.copy() for name, array in forward.activations.items()}
    broken["conv1"][1, 0, 0, 0] = np.nan
    broken["relu1"][0, 0, 0, 0] = np.inf  # of a sample that is not shown
    view = views.feature_maps(Recording(forward.output, broken), model.graph, SUBJECT)
    assert view.nonfinite == ("conv1 (activation)",)


@pytest.mark.parametrize(
    ("pick", "message"),
    [
        (Pick(nodes=("conv2",)), "the network has no layer 'conv2'; did you mean 'conv1'?"),
        (
            Pick(nodes=("zzz",)),
            "the network has no layer 'zzz'; it has input, conv1, relu1, pool1, flatten1, dropout1, linear1",
        ),
        (Pick(channels=(7, 9)), "--channels: no layer has channel 7; channels are counted from 0"),
    ],
)
def test_what_is_not_there(model: Model, forward: Recording, pick: Pick, message: str) -> None:
    if pick.channels:
        pick = Pick(("conv1",), pick.channels)
    with pytest.raises(UsageError) as caught:
        views.feature_maps(forward, model.graph, SUBJECT, pick)
    assert str(caught.value) == message


def test_a_network_without_weights_has_no_filters() -> None:
    with pytest.raises(UsageError, match="there is nothing in this network that 'filters' could draw"):
        views.filters(Model.create(chain((1, 2, 2), ("a", "relu", {}))))


def test_channels_are_written_as_numbers_and_ranges() -> None:
    assert views.parse_channels("0, 3,8-10,3") == (0, 3, 8, 9, 10)


@pytest.mark.parametrize("text", ["", "a", "1,,2", "-1", "3-", "1-9999999", "0x1"])
def test_channels_written_otherwise(text: str) -> None:
    with pytest.raises(UsageError, match="is neither a channel nor a range; write it as 0,3,8-10"):
        views.parse_channels(text)


def test_the_most_probable_classes() -> None:
    top = views.top_classes(np.array([0.2, 0.5, 0.3]), ("cat", "dog", "eel"), 2)
    assert [(each.class_, each.name, each.probability) for each in top] == [(1, "dog", 0.5), (2, "eel", 0.3)]
    assert views.top_classes(np.array([1.0]), None)[0].name == "0"


def test_summary_counts_parameters_and_work(model: Model) -> None:
    view = views.summary_view(model)
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
    fields = views.receptive_fields(chain((1, 224, 224), *layers))
    assert fields["pool4"] == ReceptiveField((212, 212), (32, 32), (90, 90))


def test_the_receptive_field_of_branches_is_what_any_of_them_sees() -> None:
    near, far = (LAYERS["conv2d"](out_channels=1, kernel_size=size, padding="same") for size in (1, 5))
    graph = build((1, 9, 9), [("a", near, (INPUT,)), ("b", far, (INPUT,)), ("c", LAYERS["add"](), ("a", "b"))])
    assert views.receptive_fields(graph)["c"] == ReceptiveField((5, 5), (1, 1), (2, 2))


def test_curves_pair_training_and_validation() -> None:
    rows = [
        {
            "epoch": "1",
            "step": "9",
            "lr": "0.1",
            "train_loss": "2",
            "val_loss": "",
            "train_accuracy": "0.5",
            "seconds": "3",
        },
        {"epoch": "2", "step": "18", "lr": "0.05", "train_loss": "1", "val_loss": "nan", "train_accuracy": "inf"},
    ]
    view = views.curves_view(rows, "run")
    assert [(chart.title, [series.name for series in chart.series]) for chart in view.charts] == [
        ("loss", ["train"]),
        ("accuracy", ["train"]),
        ("learning rate", ["lr"]),
    ]
    assert view.charts[0].epochs == (1, 2)
    assert view.charts[0].series[0].values == (2, 1)
    assert math.isinf(view.charts[1].series[0].values[1])


def test_a_constant_learning_rate_needs_no_curve() -> None:
    rows = [{"epoch": 1, "lr": 0.1, "train_loss": 1.0}, {"epoch": 2, "lr": 0.1, "train_loss": 0.5}]
    assert [chart.title for chart in views.curves_view(rows).charts] == ["loss"]


def test_no_epochs_no_curves() -> None:
    with pytest.raises(UsageError, match="runs/a: no epoch has ended yet"):
        views.curves_view([], "runs/a")
    with pytest.raises(UsageError, match="metrics: there is no finite number to draw"):
        views.curves_view([{"epoch": 1, "train_loss": "nan"}])
