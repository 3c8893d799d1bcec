"""The commands that look at many samples, as functions: what they say agrees with what the others say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.api.samples import samples_of, some_samples
from cnncli.errors import DataError, UsageError
from cnncli.inspection.views.pick import Pick

LINEAR = {"type": "linear", "name": "out", "out_features": 3}


def config(
    folder: Path, layers: list[Any], shape: list[int], loss: str = "cross_entropy", **data: Any
) -> dict[str, Any]:
    source = {"source": "npz", "path": str(folder / "data.npz"), "validation": 0, **data}
    return {"data": source, "model": {"input": shape, "layers": layers}, "loss": loss}


def save(folder: Path, x: Any, y: Any, **more: Any) -> None:
    np.savez(folder / "data.npz", x_train=x[:4], y_train=y[:4], x_test=x, y_test=y, **more)


@pytest.fixture
def session(tmp_path: Path) -> cnncli.Session:
    """Random weights, 57 samples to test."""
    rng = np.random.default_rng(0)
    save(tmp_path, rng.integers(256, size=(57, 1, 6, 6), dtype=np.uint8), rng.integers(3, size=57))
    conv = {"type": "conv2d", "name": "conv", "out_channels": 4, "kernel_size": 3}
    return cnncli.load(config(tmp_path, [conv, "relu", "flatten", LINEAR], [1, 6, 6], classes=["a", "b", "c"]))


def test_samples_are_spread_evenly(session: cnncli.Session) -> None:
    some = samples_of(session, count=5)
    assert [some.name(index) for index in range(5)] == ["test:0", "test:11", "test:22", "test:34", "test:45"]
    assert some.title == "5 of the 57 samples of test"
    given = cnncli.forward(session, input="test:22").arrays["activation/input"]
    np.testing.assert_array_equal(some.x(np.array([2])), given)
    np.testing.assert_array_equal(some.picture(2), session.dataset.split("test").display(22))
    assert some.targets[2] == session.dataset.split("test").targets[22]


def test_more_samples_than_there_are_is_all_of_them(session: cnncli.Session) -> None:
    for count in (None, 57, 1000):
        every = samples_of(session, count=count)
        assert (every.title, every.count, every.name(56)) == ("test", 57, "test:56")
    assert samples_of(session, "train").count == 4
    with pytest.raises(UsageError, match="--samples 0: expected at least 1"):
        samples_of(session, count=0)
    with pytest.raises(DataError, match="the data has no split 'val'"):
        samples_of(session, "val")


def test_inputs_take_the_place_of_a_split(session: cnncli.Session) -> None:
    given = some_samples(session, ["test:3", "train:0"], None, 1000)
    assert (given.title, given.count, given.name(1)) == ("2 inputs", 2, "train:0")
    assert some_samples(session, "test:3", None, 1000).title == "test:3"
    with pytest.raises(UsageError, match="--input and --split were both given"):
        some_samples(session, ["test:3"], "test", 1000)


def test_confusion_and_evaluate_agree(session: cnncli.Session) -> None:
    told: list[tuple[int, int]] = []
    view = cnncli.confusion(session, progress=lambda done, total: told.append((done, total)))
    scores = cnncli.evaluate(session)
    assert (view.samples, view.counted, view.nonfinite) == ("test", 57, 0)
    assert view.accuracy == pytest.approx(scores.accuracy)
    assert [each.name for each in view.classes] == ["a", "b", "c"]
    assert [each.true for each in view.classes] == np.bincount(session.dataset.test.targets).tolist()
    assert told[-1] == (57, 57)
    assert cnncli.confusion(session, split="train").counted == 4
    assert cnncli.confusion(session, samples=10).counted == 10


def test_the_samples_of_a_confused_pair_are_confused(session: cnncli.Session) -> None:
    view = cnncli.confusion(session, top=100)
    assert view.pairs
    for pair in view.pairs:
        for example in pair.examples:
            subject = cnncli.forward(session, input=example).view.subject
            assert (subject.true, subject.predicted) == (pair.true, pair.predicted)


def test_mistakes_evaluate_and_backward_agree(session: cnncli.Session) -> None:
    view, scores = cnncli.mistakes(session, top=6), cnncli.evaluate(session)
    assert (view.count, view.loss) == (57, pytest.approx(scores.loss))
    assert view.wrong == round(57 * (1 - scores.accuracy))
    losses = [mistake.loss for mistake in view.mistakes]
    assert losses == sorted(losses, reverse=True)
    assert len(cnncli.mistakes(session, top=1000).mistakes) == 57
    for mistake in view.mistakes:
        backward = cnncli.backward(session, input=mistake.input).view
        assert backward.objective == pytest.approx(mistake.loss, rel=1e-5)
        assert (backward.subject.true, backward.subject.predicted) == (mistake.true, mistake.predicted)
        np.testing.assert_array_equal(mistake.picture, backward.subject.picture)
        assert mistake.true_probability == pytest.approx(np.exp(-mistake.loss), rel=1e-5)
        assert mistake.right == (mistake.true == mistake.predicted)
    best = cnncli.predict(session, input=view.mistakes[0].input, top=1)[0].top[0]
    assert (view.mistakes[0].predicted, view.mistakes[0].probability) == (best.name, pytest.approx(best.probability))


def test_patches_hold_what_forward_computes(session: cnncli.Session) -> None:
    view = cnncli.patches(session, pick=Pick(("conv",)), count=3)
    assert view.samples == "test"
    for channel in view.layers[0].channels:
        for patch in channel.patches:
            values = cnncli.forward(session, input=patch.input).arrays["activation/conv"][0, channel.channel]
            assert patch.value == pytest.approx(values.max(), rel=1e-5)
            top, left, bottom, right = patch.box
            whole = session.dataset.split("test").display(int(patch.input.removeprefix("test:")))
            np.testing.assert_array_equal(patch.picture[..., 0], whole[top:bottom, left:right])


def test_embedding_of_the_given_inputs_and_of_a_split(session: cnncli.Session) -> None:
    view = cnncli.embedding(session, input=["test:4", "test:9", "train:1"], layer="conv")
    assert [point.input for point in view.points] == ["test:4", "test:9", "train:1"]
    assert [point.class_ for point in view.points] == [
        cnncli.forward(session, input=point.input).view.subject.true for point in view.points
    ]
    every = cnncli.embedding(session)
    assert (every.layer, every.dimensions, len(every.points), every.classes) == ("flatten1", 64, 57, ("a", "b", "c"))
    with pytest.raises(UsageError, match="--layer cnov: the network has no such layer; did you mean 'conv'"):
        cnncli.embedding(session, layer="cnov")


def test_inputs_without_labels_have_no_classes(session: cnncli.Session, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(5, 1, 6, 6)))
    view = cnncli.embedding(session, input=tmp_path / "x.npy")
    assert (view.classes, [point.class_ for point in view.points]) == ((), [None] * 5)
    assert len(cnncli.patches(session, input=tmp_path / "x.npy").layers[0].channels[0].patches) == 5


def test_classes_without_names_are_called_by_their_numbers(tmp_path: Path) -> None:
    save(tmp_path, np.eye(4, dtype=np.float32), np.array([0, 1, 2, 0]))
    network = config(tmp_path, [LINEAR], [4])
    assert [each.name for each in cnncli.confusion(network).classes] == ["0", "1", "2"]
    assert {mistake.true for mistake in cnncli.mistakes(network).mistakes} == {"0", "1", "2"}
    assert cnncli.embedding(network).classes == ("0", "1", "2")


@pytest.mark.parametrize("loss", ["bce_with_logits", "mse"])
def test_one_output_for_two_classes(tmp_path: Path, loss: str) -> None:
    save(tmp_path, np.array([[1, 0], [1, 0], [0, 1], [0, 1.0]], np.float32), np.array([0, 1, 1, 1]))
    linear = {"type": "linear", "out_features": 1, "weight": [[-1, 3]], "bias": False}
    network = config(tmp_path, [linear, "sigmoid"], [2], loss, classes=["no", "yes"])
    assert cnncli.confusion(network).matrix == ((1, 0), (1, 2))
    first, *_ = cnncli.mistakes(network).mistakes
    assert (first.input, first.true, first.predicted, first.right) == ("test:1", "yes", "no", False)
    assert first.probability == pytest.approx(1 / (1 + np.exp(-1)))
    assert first.true_probability == pytest.approx(1 / (1 + np.exp(1)))
    assert [point.class_ for point in cnncli.embedding(network, layer="input").points] == ["no", "yes", "yes", "yes"]


def test_shares_of_classes_count_as_the_largest(tmp_path: Path) -> None:
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0, 1, 0], [0.2, 0.2, 0.6]], np.float32)
    save(tmp_path, np.eye(3, dtype=np.float32)[[0, 2, 0, 1]], shares)
    identity = {"type": "linear", "out_features": 3, "weight": np.eye(3).tolist(), "bias": False}
    network = config(tmp_path, [identity], [3])
    view = cnncli.confusion(network)
    assert view.matrix == ((1, 0, 0), (1, 0, 0), (0, 1, 1))
    assert view.accuracy == cnncli.evaluate(network).accuracy
    assert cnncli.mistakes(network).wrong == 2
    assert [point.class_ for point in cnncli.embedding(network, layer="input").points] == ["0", "2", "1", "2"]


def test_classes_at_every_position_are_counted_one_by_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shares = np.moveaxis(np.eye(3, dtype=np.float32)[rng.integers(3, size=(6, 4, 5))], -1, 1)
    save(tmp_path, rng.normal(size=(6, 1, 4, 5)).astype(np.float32), shares)
    network = config(tmp_path, [{"type": "conv2d", "out_channels": 3, "kernel_size": 1}], [1, 4, 5])
    view = cnncli.confusion(network)
    assert (view.counted, view.accuracy) == (6 * 4 * 5, pytest.approx(cnncli.evaluate(network).accuracy))
    found = cnncli.mistakes(network)
    assert (found.wrong, {mistake.predicted for mistake in found.mistakes}) == (None, {None})
    assert cnncli.embedding(network).classes == ()


def test_several_labels_and_numbers_have_mistakes_but_no_confusion(tmp_path: Path) -> None:
    targets = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]], np.float32)
    save(tmp_path, np.eye(4, dtype=np.float32), targets)
    for loss, task, said in (("bce_with_logits", "multi-label", "0, 2"), ("mse", "regression", "1, 0, 1")):
        network = config(tmp_path, [LINEAR], [4], loss)
        with pytest.raises(UsageError, match=f"one class for each sample, and this is a {task} network"):
            cnncli.confusion(network)
        found = {mistake.input: mistake for mistake in cnncli.mistakes(network).mistakes}
        assert (found["test:0"].true, found["test:0"].right, found["test:0"].probability) == (said, None, None)
        assert found["test:0"].predicted is not None
        assert cnncli.embedding(network).classes == ()


def test_nan_is_counted_and_comes_first(session: cnncli.Session) -> None:
    session.model.parameters["conv"]["bias"][0] = np.nan
    assert cnncli.confusion(session).nonfinite == 57
    view = cnncli.mistakes(session, top=2)
    assert view.nonfinite == 57
    assert [mistake.input for mistake in view.mistakes] == ["test:0", "test:1"]


def test_without_data_there_is_nothing_to_look_at() -> None:
    network = {"model": {"input": [3], "layers": [LINEAR]}}
    for look in (cnncli.confusion, cnncli.mistakes, cnncli.patches, cnncli.embedding):
        with pytest.raises(UsageError, match="this needs data, and the configuration has none"):
            look(network)
