"""Watching keeps what the network holds at that moment, as often as it is asked, and changes nothing."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.config import load
from cnncli.engine import Executor, LossObjective, record_backward
from cnncli.errors import CheckpointError, ConfigError, DataError, OutputError, UsageError
from cnncli.graph import Model
from cnncli.losses import LOSSES, Loss
from cnncli.training.checkpoint import load_weights
from cnncli.training.frames import Frames
from cnncli.training.loop import fit
from cnncli.training.optimizers import Adam
from cnncli.training.progress import Listener
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.settings import TrainSettings, WatchSettings
from cnncli.training.watch import FRAMES, Watch, plan_watch

from .networks import Recorder, convnet, dataset, sequence, weights_of

LOSS: Loss = LOSSES["cross_entropy"]()
BATCHES = 6  # of 16 samples, in an epoch of 96


def train(
    run: RunDirectory | None, watch: WatchSettings | None, *, epochs: int = 2, listener: Listener | None = None
) -> tuple[Model, TrainResult]:
    model = Model.create(convnet(), seed=5)
    settings = TrainSettings(epochs=epochs, batch_size=16, watch=watch)
    return model, fit(model, dataset(), LOSS, Adam(lr=0.02), settings, seed=5, workers=1, run=run, listener=listener)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create("toy", "name: toy\n", tmp_path / "run")


def arrays_of(run: RunDirectory, step: int) -> dict[str, NDArray[Any]]:
    """All that is in a frame."""
    with np.load(run.frames.path / f"{step:06d}.npz") as arrays:
        return dict(arrays)


def planned(watch: WatchSettings, *, epochs: int = 2, graph: Any = None) -> Any:
    settings = TrainSettings(epochs=epochs, batch_size=16, watch=watch)
    return plan_watch(settings, Model.create(graph or convnet()), LOSS, dataset())


@pytest.mark.parametrize(
    ("every", "steps"), [(5, (0, 5, 10, 12)), (6, (0, 6, 12)), (100, (0, 12)), (None, tuple(range(13)))]
)
def test_a_frame_every_so_many_steps_and_at_both_ends(
    run: RunDirectory, every: int | None, steps: tuple[int, ...]
) -> None:
    train(run, WatchSettings(every=every))
    assert run.frames.steps == steps
    assert planned(WatchSettings(every=every)).frames == len(steps)


def test_a_slow_watch_does_not_slow_the_training_that_is_told(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock on which every look at it is a second later, and every frame takes an hour."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1
        return now

    def after(watch: Watch, step: int, *, ended: bool = False) -> None:
        nonlocal now
        now += 3600

    monkeypatch.setattr("cnncli.training.pace.perf_counter", clock)
    monkeypatch.setattr(Watch, "after", after)
    _, result = train(run, WatchSettings(every=1))
    assert [epoch.images_per_second for epoch in result.history] == [16, 16]  # a step of 16 samples is a second
    assert result.images_per_second == 16
    assert all(epoch.seconds > 3600 * BATCHES for epoch in result.history)


def test_by_default_a_long_training_has_about_sixty_frames() -> None:
    plan = planned(WatchSettings(), epochs=500)
    assert (plan.every, plan.frames) == (50, FRAMES + 1)


def test_watching_changes_no_bit_of_the_training(run: RunDirectory, tmp_path: Path) -> None:
    watched, _ = train(run, WatchSettings(every=1, inputs=("test:0", "val:3", "train:2")))
    plain, _ = train(RunDirectory.create("toy", "", tmp_path / "plain"), None)
    assert weights_of(watched) == weights_of(plain)
    last = [Model.create(convnet()), Model.create(convnet())]
    load_weights(run.last, last[0])
    load_weights(tmp_path / "plain" / "last.safetensors", last[1])
    assert weights_of(last[0]) == weights_of(last[1])


def test_a_frame_holds_what_the_network_makes_of_the_inputs(run: RunDirectory) -> None:
    """As at inference, with the weights of that moment; gradients are of each input's own loss."""
    train(run, WatchSettings(every=100, inputs=("test:7", "train:1")), epochs=1)
    model, data = Model.create(convnet()), dataset()
    load_weights(run.last, model)
    assert data.test is not None
    parts = [data.test.batch([7]), data.train.batch([1])]
    x, targets = (np.concatenate(each) for each in zip(*parts, strict=True))
    objective = replace(LossObjective.of(LOSS, model.graph, targets), mean=False)
    with Executor(model, workers=1) as executor:
        expected = record_backward(executor, x, objective)
    frames = run.frames
    assert frames.inputs == ("test:7", "train:1")
    names = ["conv2d0", "batch_norm1", "relu2", "max_pool2d3", "linear6"]  # not what repeats its input
    frame = arrays_of(run, BATCHES)
    assert set(frame) == {
        *(f"{kind}/{name}" for kind in ("activation", "gradient") for name in names),
        "parameter/conv2d0.weight",
        "parameter/linear6.weight",
    }
    for name in names:
        np.testing.assert_array_equal(frame[f"activation/{name}"], expected.activations[name])
        np.testing.assert_array_equal(frame[f"gradient/{name}"], expected.gradients[name])
    np.testing.assert_array_equal(frame["parameter/conv2d0.weight"], model.parameters["conv2d0"]["weight"])
    first = arrays_of(run, 0)["parameter/conv2d0.weight"]
    np.testing.assert_array_equal(first, Model.create(convnet(), seed=5).parameters["conv2d0"]["weight"])


def test_only_what_is_asked_for_is_kept(run: RunDirectory) -> None:
    asked = WatchSettings(every=4, layers=("conv2d0", "input"), channels=2, what=("gradients", "filters"))
    train(run, asked)
    shapes = {key: array.shape for key, array in arrays_of(run, 4).items()}
    assert shapes == {
        "gradient/conv2d0": (1, 2, 4, 4),
        "gradient/input": (1, 1, 6, 6),
        "parameter/conv2d0.weight": (2, 1, 3, 3),
    }
    assert shapes == {str(name): shape for name, shape in planned(asked).shapes.items()}


def test_what_the_loss_does_not_read_has_no_gradient() -> None:
    graph = sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}), ("softmax", {}))
    shapes = planned(WatchSettings(what=("activations", "gradients")), graph=graph).shapes
    assert set(map(str, shapes)) == {"activation/linear1", "activation/softmax2", "gradient/linear1"}


@pytest.mark.parametrize("after", [1, BATCHES + 2])
def test_an_interruption_has_a_last_frame(run: RunDirectory, after: int) -> None:
    _, result = train(run, WatchSettings(every=5), listener=Recorder(interrupt_after=after))
    assert result.interrupted
    assert run.frames.steps == tuple(step for step in (0, 5, after) if step <= after)


def test_a_full_disk_is_told_and_no_half_frame_stays(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(step: Any) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        if step.step == 3:
            monkeypatch.setattr(os, "fsync", full)

    recorder = Recorder()
    recorder.step = fill  # type: ignore[method-assign]
    with pytest.raises(OutputError, match=r"watch/000004.npz: cannot be written: No space left on device; free some"):
        train(run, WatchSettings(every=2), listener=recorder)
    assert run.frames.steps == (0, 2)
    assert {entry.name for entry in run.frames.path.iterdir()} == {"000000.npz", "000002.npz", "inputs.json"}


@pytest.mark.parametrize(
    ("watch", "message"),
    [
        (
            WatchSettings(layers=("conv2d",)),
            r"train.watch.layers conv2d: the network has no such layer; did you mean 'conv2d0'",
        ),
        (
            WatchSettings(layers=("xyz",)),
            r"layers xyz: the network has no such layer; there are input, conv2d0, ",
        ),
        (WatchSettings(layers=("relu2",), what=("filters",)), r"there is nothing to keep of these layers"),
    ],
)
def test_what_does_not_fit_is_told_before_training(run: RunDirectory, watch: WatchSettings, message: str) -> None:
    recorder = Recorder()
    with pytest.raises(UsageError, match=message):
        train(run, watch, listener=recorder)
    assert recorder.steps == []
    assert not run.last.exists()


def test_a_sample_that_there_is_not() -> None:
    with pytest.raises(DataError, match="test:40: expected test:0 to test:39; there are 40 samples"):
        planned(WatchSettings(inputs=("test:1", "test:40")))


def test_too_much_is_refused_with_what_helps() -> None:
    graph = sequence((1, 6, 6), ("conv2d", {"out_channels": 4, "kernel_size": 3}), ("flatten", {}))
    wide = WatchSettings(every=1, inputs=("test:0",) * 40)
    with pytest.raises(UsageError) as caught:
        planned(wide, epochs=9000, graph=graph)
    assert str(caught.value) == (
        "train.watch: 54,001 frames of 0.0206 MB are more than 250 MB together; choose fewer layers or inputs, "
        "fewer channels than 16, or a frame less often than every: 1"
    )


def test_without_a_run_directory_there_is_nothing_to_write() -> None:
    assert weights_of(train(None, WatchSettings())[0]) == weights_of(train(None, None)[0])


def test_what_was_not_watched_or_is_damaged(run: RunDirectory) -> None:
    with pytest.raises(CheckpointError, match=r"nothing was watched in this training; train with --set 'train.watch="):
        assert run.frames.inputs
    assert run.frames.steps == ()
    frames = Frames(run.path / "watch")
    frames.begin(["test:0"])
    frames.write(3, {"activation/a": np.ones((1, 2)), "activation/b": np.ones((1, 2), np.int64)})
    np.testing.assert_array_equal(frames.read(3, {"activation/a": (1, 2)})["activation/a"], np.ones((1, 2)))
    of_another = r"watch/000003\.npz: is of another training than config\.yaml: has "
    for key, message in {
        "gradient/a": "no gradient/a; delete it, or train again",
        "activation/a": r"activation/a of shape \(1, 2\), float64; expected shape \(1, 3\), floats; delete it",
        "activation/b": r"activation/b of shape \(1, 2\), int64; expected shape \(1, 3\), floats; delete it",
    }.items():
        with pytest.raises(CheckpointError, match=of_another + message):
            frames.read(3, {key: (1, 3)})
    with pytest.raises(CheckpointError, match=r"watch/000004\.npz: cannot be read: No such file"):
        frames.read(4, {})


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "npy", "pickle", "archive", "header"])
def test_a_damaged_frame_is_named_in_our_own_words(run: RunDirectory, damage: str) -> None:
    frames = run.frames
    frames.write(3, {"activation/a": np.ones((1, 2))})
    file = frames.path / "000003.npz"
    whole = file.read_bytes()
    plain, pickled = io.BytesIO(), io.BytesIO()
    np.save(plain, np.ones(3))
    np.savez(pickled, allow_pickle=True, **{"activation/a": np.array([{}], object)})
    content = {
        "garbage": b"no archive at all",
        "empty": b"",
        "cut": whole[:-30],
        "npy": plain.getvalue(),
        "pickle": pickled.getvalue(),
        "archive": b"PK\3\4 no archive",
        "header": whole.replace(b"'fortran_order': False", b"'fortran_order': ((((("),
    }
    file.write_bytes(content[damage])
    with pytest.raises(CheckpointError) as caught:
        frames.read(3, {"activation/a": (1, 2)})
    assert str(caught.value) == f"{file}: is damaged, or no .npz of arrays; delete it, or train again"


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"inputs": "test:0"}', '{"inputs": []}', '{"inputs": [3]}', "\udcff"]
)
def test_inputs_that_are_not_as_they_were_written(run: RunDirectory, text: str) -> None:
    run.frames.begin(["test:0"])
    (run.frames.path / "inputs.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(
        CheckpointError, match=r'watch/inputs\.json: expected {"inputs": \["test:0", ...\]}; restore it'
    ):
        assert run.frames.inputs


def test_a_training_that_diverged_has_the_frame_of_that_moment(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is not finite in it; and a disk that is full is no error, but a reason."""
    model, data = Model.create(convnet()), dataset()
    plan = planned(WatchSettings(every=100))
    with Executor(model, workers=1) as executor:
        watch = Watch(plan, executor, LOSS, data, run.frames)
        model.parameters["linear6"]["weight"][...] = np.nan
        assert watch.diverged(7) is None
        assert run.frames.steps == (7,)
        assert np.isnan(arrays_of(run, 7)["activation/linear6"]).all()

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        assert watch.diverged(7) is None  # it is there
        assert watch.diverged(8) == (
            f"{run.frames.path / '000008.npz'}: cannot be written: No space left on device; free some space"
        )
    assert run.frames.steps == (7,)


NETWORK = "model: {input: [1, 6, 6], layers: [flatten, {type: linear, out_features: 3}]}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", None),
        ("{watch: null}", None),
        ("{watch: {}}", WatchSettings()),
        ("{watch: {every: 20}}", WatchSettings(every=20)),
        (
            "{watch: {inputs: [test:0, val:3], layers: [linear1], channels: 8, what: [filters]}}",
            WatchSettings(inputs=("test:0", "val:3"), layers=("linear1",), channels=8, what=("filters",)),
        ),
    ],
)
def test_from_yaml_and_back(text: str, expected: WatchSettings | None) -> None:
    experiment = load(f"{NETWORK}train: {text}\n")
    assert experiment.train.watch == expected
    assert load(experiment.to_yaml()).train == experiment.train


def test_set_on_the_command_line() -> None:
    assert load(NETWORK, ["train.watch={}"]).train.watch == WatchSettings()
    assert load(NETWORK, ["train.watch.every=20"]).train.watch == WatchSettings(every=20)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{every: 0}", "'watch.every' must be a whole number >= 1, but is 0"),
        ("{evry: 5}", "unknown key 'evry' in watch; did you mean 'every'?"),
        ("{inputs: [test:0, foo]}", "'watch.inputs': at [1]: expected a sample of the data, as test:3, got 'foo'"),
        ("{what: [maps]}", "'watch.what' must be a list of 'activations', 'filters' or 'gradients', but holds 'maps'"),
        ("true", "'watch' must be a mapping, but is true"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"{NETWORK}train: {{watch: {text}}}\n")
    assert str(caught.value).startswith("<text>:2:")
    assert message in str(caught.value)
