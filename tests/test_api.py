"""The commands as functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.errors import DataError, UsageError
from cnncli.inspection.views.board import Board, Row
from cnncli.inspection.views.pick import Pick
from cnncli.training.progress import Listener, Step

NETWORK: dict[str, Any] = {
    "name": "tiny",
    "model": {
        "input": [1, 6, 6],
        "layers": [
            {"type": "conv2d", "name": "conv", "out_channels": 2, "kernel_size": 3},
            "tanh",
            "flatten",
            {"type": "linear", "name": "classes", "out_features": 3},
            "softmax",
        ],
    },
}
TEXT = """\
model:
  input: [1, 2, 2]
  layers:
    - {type: conv2d, name: conv, out_channels: 1, kernel_size: 2, weight: [[1, 2], [3, 4]], bias: [1]}
loss: mse
"""


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((50, 1, 6, 6)), rng.integers(3, size=50)
    np.savez(tmp_path / "data.npz", x_train=inputs, y_train=targets)
    data = {"source": "npz", "path": str(tmp_path / "data.npz"), "classes": ["a", "b", "c"]}
    config = {**NETWORK, "data": data, "train": {"epochs": 2, "batch_size": 8}}
    result = cnncli.train(config, out=tmp_path / "run")
    assert result.run == tmp_path / "run"
    assert result.best is not None
    assert result.test is None
    return tmp_path / "run"


def test_a_network_from_text_from_dictionaries_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(TEXT)
    for config in (TEXT, tmp_path / "net.yaml", str(tmp_path / "net.yaml")):
        session = cnncli.load(config)
        np.testing.assert_array_equal(session.model.parameters["conv"]["weight"], [[[[1, 2], [3, 4]]]])
    assert cnncli.load(NETWORK).experiment.name == "tiny"


def test_a_training_that_fails_half_way_leaves_what_it_has_saved(tmp_path: Path) -> None:
    class Failing(Listener):
        def step(self, step: Step) -> None:
            raise DataError("the disk with the data is gone")

    np.savez(tmp_path / "data.npz", x=np.eye(3), y=np.arange(3))
    data = {"source": "npz", "path": str(tmp_path / "data.npz"), "validation": 0}
    config = {"data": data, "model": {"input": [3], "layers": [{"type": "linear", "out_features": 3}]}}
    with pytest.raises(DataError, match="is gone"):
        cnncli.train(config, out=tmp_path / "run", listener=Failing())
    session = cnncli.load(run=tmp_path / "run", checkpoint=tmp_path / "run" / "last.safetensors")
    assert session.weights == tmp_path / "run" / "last.safetensors"


def test_a_session_serves_many_calls(trained: Path) -> None:
    session = cnncli.load(run=trained)
    assert session.weights == trained / "best.safetensors"
    scores = cnncli.evaluate(session, split="train")
    assert scores == cnncli.evaluate(run=trained, split="train")
    (prediction,) = cnncli.predict(session, input="train:0", top=3)
    assert sorted(each.name for each in prediction.top) == ["a", "b", "c"]
    assert sum(each.probability for each in prediction.top) == pytest.approx(1)
    with pytest.raises(UsageError, match="give either a session or run, not both"):
        cnncli.evaluate(session, run=trained)


def test_forward_and_backward_agree_with_one_another(trained: Path) -> None:
    session = cnncli.load(run=trained, dtype="float64")
    forward = cnncli.forward(session, input=["train:0", "train:1"])
    backward = cnncli.backward(session, input=["train:0", "train:1"])
    for key, array in forward.arrays.items():
        np.testing.assert_array_equal(backward.arrays[key], array)
    assert forward.view.subject.true == backward.view.subject.true
    assert forward.view.top[0].probability == forward.arrays["activation/softmax1"][0].max()
    assert forward.nonfinite == backward.nonfinite == ()


def test_the_gradient_of_a_logit_is_its_slope(trained: Path) -> None:
    session = cnncli.load(run=trained, dtype="float64")
    x = np.random.default_rng(1).standard_normal((1, 1, 6, 6))
    step = np.zeros_like(x)
    step[0, 0, 2, 3] = 1e-6
    folder = trained.parent
    for name, values in (("x", x), ("up", x + step), ("down", x - step)):
        np.save(folder / f"{name}.npy", values)
    gradient = cnncli.backward(session, input=folder / "x.npy", target="b").arrays["gradient/input"]
    up, down = (cnncli.forward(session, input=folder / f"{name}.npy") for name in ("up", "down"))
    slope = (up.arrays["activation/classes"] - down.arrays["activation/classes"])[0, 1] / 2e-6
    assert gradient[0, 0, 2, 3] == pytest.approx(slope, rel=1e-8)


def test_an_upstream_gradient_of_one_is_the_target(trained: Path) -> None:
    np.savetxt(trained.parent / "upstream.txt", np.eye(3)[1:2])
    given = cnncli.backward(NETWORK, upstream=trained.parent / "upstream.txt", dtype="float64")
    assert given.view.objective == pytest.approx(float(given.arrays["activation/softmax1"][0, 1]))


def test_views_to_be_drawn(trained: Path) -> None:
    session = cnncli.load(run=trained)
    maps = cnncli.feature_maps(session, input="train:0", pick=Pick(nodes=("conv",)))
    assert [(row.node, [tile.values.shape for tile in row.tiles]) for row in rows(maps)] == [("conv", [(4, 4)] * 2)]
    assert {row.node for row in rows(cnncli.filters(session))} == {"conv", "classes"}
    assert cnncli.gradients(session, input="train:0", target=0).subject.target == "logit of class a"
    assert {chart.title for chart in cnncli.curves(trained).charts} >= {"loss", "accuracy"}


def rows(board: Board) -> list[Row]:
    return [row for sheet in board.sheets for row in sheet.rows]


def test_summary() -> None:
    view = cnncli.summary(NETWORK)
    assert [row.name for row in view.layers] == ["conv", "tanh1", "flatten1", "classes", "softmax1"]
    assert view.parameters == 2 * 9 + 2 + 32 * 3 + 3


def test_several_labels_at_once(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([1.0, -1.0, 2.0]))
    np.save(tmp_path / "label.npy", np.array([1.0, 1.0, 0.0]))
    identity = {"type": "linear", "out_features": 3, "weight": np.eye(3).tolist()}
    config = {"model": {"input": [3], "layers": [identity]}, "loss": "bce_with_logits"}
    view = cnncli.backward(config, input=tmp_path / "x.npy", label=str(tmp_path / "label.npy")).view
    assert (view.subject.true, view.subject.predicted) == ("0, 1", "0, 2")
    assert view.subject.target == "bce_with_logits loss of label 0, 1"
    same = cnncli.backward(config, input=tmp_path / "x.npy", label="0, 1").view
    assert (same.subject.true, same.subject.target) == (view.subject.true, view.subject.target)
    assert same.objective == view.objective
    one = cnncli.backward(config, input=tmp_path / "x.npy", label=["1"]).view
    assert one.subject.target == "bce_with_logits loss of label 1"
    with pytest.raises(UsageError, match="--label 3: no such class; the network has the classes 0 to 2"):
        cnncli.backward(config, input=tmp_path / "x.npy", label="0,3")
    (prediction,) = cnncli.predict(config, input=tmp_path / "x.npy")
    assert [each.class_ for each in prediction.top] == [2, 0, 1]
    assert prediction.output[0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_a_number_is_the_label_where_the_output_is_one_number() -> None:
    config = {
        "model": {"input": [2], "layers": [{"type": "linear", "out_features": 1, "weight": [[1, 1]]}]},
        "loss": "mse",
    }
    result = cnncli.backward(config, label=3.5, dtype="float64")
    output = result.arrays["activation/linear1"][0, 0]
    assert result.view.objective == pytest.approx((output - 3.5) ** 2)
    assert (result.view.subject.true, result.view.subject.target) == ("3.5", "mse loss of target 3.5")
    drawn = cnncli.backward(config, dtype="float64").view.subject
    assert drawn.true is None
    assert drawn.target is not None
    assert drawn.target.endswith(", which is random")


def test_labels_in_a_file_are_one_for_each_input_or_one_for_all(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1.0, -1.0], [0.5, 2.0]]))
    config = {"model": {"input": [2], "layers": ["tanh"]}, "loss": "mse"}
    outputs = np.tanh([[1.0, -1.0], [0.5, 2.0]])
    for labels in ([[1.0, 0.0], [3.0, 0.0]], [[2.0, 1.0]], [2.0, 1.0]):
        np.save(tmp_path / "y.npy", np.array(labels))
        result = cnncli.backward(config, input=tmp_path / "x.npy", label=str(tmp_path / "y.npy"), dtype="float64")
        assert result.recording.values == pytest.approx(np.square(outputs - labels).mean(axis=1))
    np.save(tmp_path / "y.npy", np.zeros((3, 2)))
    with pytest.raises(UsageError, match="--label: 3 labels for 2 inputs; give one for each input, or one for all"):
        cnncli.backward(config, input=tmp_path / "x.npy", label=str(tmp_path / "y.npy"))


@pytest.mark.parametrize("loss", ["bce_with_logits", "mse"])
def test_one_sigmoid_is_the_probability_of_the_second_of_two_classes(tmp_path: Path, loss: str) -> None:
    np.savez(tmp_path / "data.npz", x=np.eye(2), y=np.array([0, 1]))
    data = {"source": "npz", "path": str(tmp_path / "data.npz"), "classes": ["no", "yes"], "validation": 0}
    linear = {"type": "linear", "out_features": 1, "weight": [[-1, 3]], "bias": False}
    session = cnncli.load({"data": data, "model": {"input": [2], "layers": [linear, "sigmoid"]}, "loss": loss})
    first, second = cnncli.predict(session, input=["train:0", "train:1"])
    assert [each.name for each in first.top] == ["no", "yes"]
    assert first.output == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))], rel=1e-6)
    assert [each.name for each in second.top] == ["yes", "no"]
    subject = cnncli.backward(session, input="train:1", label="no").view.subject
    assert (subject.true, subject.predicted, subject.target) == ("yes", "yes", f"{loss} loss of label no")
    subject = cnncli.backward(session, input="train:1", label=0.3).view.subject
    assert (subject.true, subject.target) == ("yes", f"{loss} loss of target 0.3")


def test_a_class_is_meant_by_its_name_before_its_number(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.eye(4), y=np.arange(4))
    classes = ["3", "1", "Bag", "bag"]
    data = {"source": "npz", "path": str(tmp_path / "data.npz"), "classes": classes, "validation": 0}
    session = cnncli.load({"data": data, "model": {"input": [4], "layers": ["identity"]}})
    three = "3 (number 0)"
    for label, name in (("3", three), ("1", "1"), ("2", "Bag"), (0, three), ("bag", "bag"), ("BAG", "Bag")):
        subject = cnncli.backward(session, input="train:0", label=label).view.subject
        assert (subject.true, subject.target) == ("3", f"cross_entropy loss of label {name}")
    with pytest.raises(UsageError, match=r"--label bagg: no such class; did you mean 'bag'\?"):
        cnncli.backward(session, input="train:0", label="bagg")
    with pytest.raises(UsageError, match=r"no such class; the network has the classes 0 to 3: 3, 1, Bag, bag"):
        cnncli.backward(session, input="train:0", label="9" * 5000)
    for number in ("-1", "4", "11"):  # is not meant as the class 1
        with pytest.raises(UsageError, match=f"--target {number}: no such class; the network has the classes 0 to 3"):
            cnncli.backward(session, input="train:0", target=number)
    assert cnncli.backward(session, input="train:0", target="3").view.subject.target == f"logit of class {three}"
    assert cnncli.saliency(session, input="train:0").inputs[0].target.startswith(f"logit of class {three} = ")


def test_names_of_classes_do_not_open_data_that_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "data.npz", x=np.eye(4), y=np.arange(4))
    np.save(tmp_path / "x.npy", np.ones(4))
    data = {"source": "npz", "path": str(tmp_path / "data.npz")}
    session = cnncli.load({"data": data, "model": {"input": [4], "layers": ["identity"]}})
    assert cnncli.predict(session, input=tmp_path / "x.npy")[0].top[0].name == "0"
    assert "dataset" not in vars(session)


def test_the_truth_is_told_of_each_input_that_has_one(trained: Path) -> None:
    session = cnncli.load(run=trained)
    np.save(trained.parent / "x.npy", np.ones((1, 6, 6)))
    inputs = ["train:1", trained.parent / "x.npy"]
    own = "abc"[session.dataset.train.targets[1]]
    assert [each.true for each in cnncli.saliency(session, input=inputs).inputs] == [own, None]
    assert [each.true for each in cnncli.forward(session, input=inputs).subjects] == [own, None]
    other = "a" if own != "a" else "b"
    assert [each.true for each in cnncli.backward(session, input=inputs, label=other).subjects] == [own, other]
    with pytest.raises(UsageError, match=r"x\.npy has no label; give --label CLASS, or differentiate one output with"):
        cnncli.backward(session, input=inputs)


def test_the_label_of_a_map_is_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 2, 2)))
    with pytest.raises(UsageError, match=r"no label; give --label FILE, numbers of the shape \(1, 1, 1\), or"):
        cnncli.backward(TEXT, input=tmp_path / "x.npy")


def test_what_is_differentiated_is_said_once(trained: Path) -> None:
    np.savetxt(trained.parent / "upstream.txt", [[1, np.nan, 0]])
    upstream = trained.parent / "upstream.txt"
    for function in (cnncli.backward, cnncli.histograms):
        for pair in ({"label": 0, "target": 1}, {"label": ["a"], "upstream": upstream}):
            with pytest.raises(UsageError, match=f"--label and --{list(pair)[1]} were both given"):
                function(NETWORK, **pair)
    with pytest.raises(DataError, match="1 of 3 numbers are NaN or infinite"):
        cnncli.backward(NETWORK, upstream=upstream)


def test_a_network_whose_outputs_are_nan_predicts_nothing(trained: Path) -> None:
    session = cnncli.load(run=trained)
    session.model.parameters["classes"]["bias"][1] = np.nan
    (found,) = cnncli.saliency(session, input="train:0").inputs
    assert found.predicted is None
    assert "%" not in found.target
    result = cnncli.backward(session, input="train:0")
    assert result.view.subject.predicted is None
    assert result.nonfinite[:3] == ("classes", "softmax1", "the gradient of classes")
    step = cnncli.step(session, input="train:0")
    assert step.nonfinite[:3] == result.nonfinite[:3]
    assert step.nonfinite[-1] == "the loss"


def test_a_step_that_is_too_long_is_blamed(trained: Path) -> None:
    with np.errstate(all="ignore"):
        places = cnncli.step(run=trained, input="train:0", lr=1e308, steps=2).nonfinite
    assert places[0].endswith(" after the step")
    assert places[-1] == "the loss"


def test_classes_at_every_place_have_a_random_target() -> None:
    layers = [{"type": "conv2d", "out_channels": 3, "kernel_size": 1}]
    result = cnncli.backward({"model": {"input": [1, 4, 5], "layers": layers}})
    assert result.view.subject.true is None
    assert result.recording.gradients["conv2d1"].shape == (1, 3, 4, 5)


def test_one_number_of_an_image_is_a_target() -> None:
    gradient = cnncli.backward(TEXT, target="0,0,0").arrays["gradient/input"]
    np.testing.assert_array_equal(gradient, [[[[1, 2], [3, 4]]]])
    with pytest.raises(UsageError, match="from 0,0,0 to 0,0,0"):
        cnncli.backward(TEXT, target="0,1")
