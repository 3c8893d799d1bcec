"""Training learns, is the same every time, can be stopped at any step and says so when it fails."""

from __future__ import annotations

import os
import re
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.data.dataset import Dataset, Split
from cnncli.engine import Executor
from cnncli.engine.team import POSSIBLE, Helper, Team
from cnncli.errors import DataError, DivergedError, OutputError
from cnncli.graph import Graph, Model
from cnncli.losses import LOSSES, Loss
from cnncli.training.checkpoint import load_state, load_weights
from cnncli.training.evaluation import evaluate
from cnncli.training.frames import Frames
from cnncli.training.interruption import Interruption
from cnncli.training.loop import fit
from cnncli.training.optimizers import SGD, Adam, Optimizer
from cnncli.training.progress import Listener
from cnncli.training.result import TrainResult
from cnncli.training.run_directory import RunDirectory
from cnncli.training.settings import TrainSettings, WatchSettings

from .networks import Recorder, convnet, dataset, sequence, split, weights_of

CROSS_ENTROPY: Loss = LOSSES["cross_entropy"]()
FAST = Adam(lr=0.02)
BATCHES = 6  # of 16 samples, in an epoch of 96


def train(
    data: Dataset,
    *,
    graph: Graph | None = None,
    loss: Loss = CROSS_ENTROPY,
    optimizer: Optimizer = FAST,
    epochs: int = 3,
    batch_size: int = 16,
    workers: int | None = 1,
    run: RunDirectory | None = None,
    listener: Listener | None = None,
) -> tuple[Model, TrainResult]:
    model = Model.create(graph or convnet(), seed=5)
    settings = TrainSettings(epochs=epochs, batch_size=batch_size)
    return model, fit(model, data, loss, optimizer, settings, seed=5, workers=workers, run=run, listener=listener)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create("toy", "name: toy\n", tmp_path / "run")


@pytest.mark.parametrize(
    ("task", "loss", "outputs", "metric", "least"),
    [
        ("classification", "cross_entropy", 3, "accuracy", 0.9),
        ("classification", "mse", 3, "accuracy", 0.9),
        ("classification", "bce_with_logits", 3, "accuracy", 0.9),
        ("multi-label", "bce_with_logits", 3, "exact_match", 0.825),
        ("regression", "mse", 2, "r2", 0.8),
    ],
)
def test_every_task_is_learnt(task: str, loss: str, outputs: int, metric: str, least: float) -> None:
    """At least four fifths of the way from guessing to perfect: the rest is for noise and for so few samples."""
    data = dataset(task)
    model, result = train(data, graph=convnet(outputs), loss=LOSSES[loss](), epochs=12)
    assert result.test is not None
    assert result.test.metrics[metric] >= least
    assert result.test.samples == 40
    assert result.best is not None
    assert (result.best.accuracy is None) == (task == "regression")
    assert data.test is not None
    again = evaluate(model, data.test, LOSSES[loss](), name="test")
    assert (again.loss, again.accuracy) == (result.test.loss, result.test.accuracy)


def test_scores_are_those_of_a_plain_loop() -> None:
    data = dataset()
    assert data.test is not None
    model, result = train(data, epochs=1)
    x, targets = data.test.batch(np.arange(40))
    with Executor(model, workers=1) as executor:
        logits = executor.infer(x).astype(np.float64)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert result.test is not None
    assert result.test.loss == pytest.approx(-log_probabilities[np.arange(40), targets].mean(), rel=1e-5)
    assert result.test.accuracy == (logits.argmax(axis=1) == targets).mean()


def test_the_same_bits_on_every_run_and_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came_up = []

    def ready(team: Team, wait: bool = False) -> list[Helper]:
        came_up.append(all(helper.is_ready(wait=True) for helper in team.helpers))
        return team.helpers

    monkeypatch.setattr(Team, "ready", ready)  # from the first step that they could share
    monkeypatch.setattr("cnncli.engine.executor.START_SECONDS", -1.0)
    data, found = dataset(), set()
    for place, workers in enumerate((1, 1, 2, 4)):
        run = RunDirectory.create("toy", "", tmp_path / str(place))
        model, result = train(data, epochs=2, batch_size=40, workers=workers, run=run)
        scores = tuple((epoch.train, epoch.val) for epoch in result.history)
        found.add((str(weights_of(model)), str(scores), str(result.test), run.best.read_bytes(), run.last.read_bytes()))
    assert len(found) == 1
    assert (len(came_up) > 4 and all(came_up)) >= POSSIBLE


def test_keeping_files_does_not_change_the_numbers(run: RunDirectory) -> None:
    assert weights_of(train(dataset(), run=run)[0]) == weights_of(train(dataset())[0])


def test_the_run_directory_is_complete(run: RunDirectory) -> None:
    recorder = Recorder()
    model, result = train(dataset(), run=run, listener=recorder)
    names = {
        "config.yaml",
        "metrics.csv",
        "health.csv",
        "steps.jsonl",
        "best.safetensors",
        "last.safetensors",
        "last.state.safetensors",
        "result.json",
    }
    assert {entry.name for entry in run.path.iterdir()} == names
    assert run.read_metrics() == [epoch.row() for epoch in result.history]
    assert set(run.read_metrics()[0]) == {
        *("epoch", "step", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
        *("seconds", "images_per_second", "data_wait"),
    }
    assert [(step["epoch"], step["step"], step["loss"]) for step in run.read_steps()] == [
        (step.epoch, step.step, step.loss) for step in recorder.steps
    ]
    assert [step.step for step in recorder.steps] == list(range(1, 3 * BATCHES + 1))
    assert result.run == run.path
    other = Model.create(convnet(), seed=9)
    load_weights(run.best, other)
    assert weights_of(other) == weights_of(model)
    state = load_state(run.state, other)
    load_weights(run.last, model)
    assert weights_of(other) == weights_of(model)
    assert (state.epochs, state.step, state.batches, state.totals["samples"]) == (3, 3 * BATCHES, 0, 0)
    assert state.history == result.history
    assert state.optimizer == {"type": "adam", **FAST.model_dump(mode="json")}


def test_the_best_epoch_is_kept() -> None:
    """Whatever comes after it: here a rate that undoes it."""
    data = dataset()
    model, result = train(data, optimizer=SGD(lr=2.0, momentum=0.9), epochs=8)
    assert result.best is not None
    accuracies = [epoch.val.accuracy for epoch in result.history if epoch.val is not None]
    assert result.best.epoch - 1 == accuracies.index(max(accuracies, key=lambda accuracy: accuracy or 0))
    assert result.best.split == "val"
    assert data.val is not None
    scores = evaluate(model, data.val, CROSS_ENTROPY, name="val")
    assert (scores.accuracy, scores.loss) == (result.best.accuracy, result.best.loss)


def test_without_validation_the_training_scores_stand_in(run: RunDirectory) -> None:
    _, result = train(dataset(val=0, test=0), run=run)
    assert result.best is not None
    assert result.best.split == "train"
    assert result.best.loss == result.history[result.best.epoch - 1].train.loss
    assert result.test is None
    assert not any(name.startswith("val") for name in run.read_metrics()[0])


def go_on(run: RunDirectory, data: Dataset, epochs: int) -> Model:
    """What a later start does with the state that was saved."""
    model = Model.create(convnet(), seed=99)
    state = load_state(run.state, model)
    fit(model, data, CROSS_ENTROPY, FAST, TrainSettings(epochs=epochs, batch_size=16), seed=5, run=run, resume=state)
    return model


@pytest.mark.parametrize("after", [1, BATCHES - 1, BATCHES, BATCHES + 2])
def test_an_interrupted_training_saves_everything(run: RunDirectory, tmp_path: Path, after: int) -> None:
    data = dataset()
    before = signal.getsignal(signal.SIGINT)
    _, result = train(data, epochs=2, run=run, listener=Recorder(interrupt_after=after))
    assert signal.getsignal(signal.SIGINT) is before
    assert result.interrupted
    assert result.test is None
    assert [step["step"] for step in run.read_steps()] == list(range(1, after + 1))
    finished = 0 if after <= BATCHES else 1
    assert len(result.history) == finished
    assert (result.best is not None) == run.best.exists() == run.metrics.exists() == (finished > 0)

    whole = RunDirectory.create("toy", "", tmp_path / "whole")
    best, _ = train(data, epochs=2, run=whole)
    assert weights_of(go_on(run, data, 2)) == weights_of(best)
    for mine, theirs in ((run.last, whole.last), (run.best, whole.best)):
        assert mine.read_bytes() == theirs.read_bytes()


class Pressing(Split):
    """A split during whose reading Ctrl-C is pressed."""

    def batch(self, indices: Any) -> tuple[NDArray[np.float32], NDArray[Any]]:
        os.kill(os.getpid(), signal.SIGINT)
        return super().batch(indices)


def pressing(given: Split) -> Split:
    return Pressing(given.store, given.rows, given.targets, given.shape, given.scaling)


def test_interrupted_while_validating(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.training.evaluation.BATCH_BYTES", 0)  # 32 samples at a time
    data = dataset()
    assert data.val is not None
    _, result = train(replace(data, val=pressing(data.val)), run=run)
    assert result.interrupted
    assert result.history == ()
    state = load_state(run.state, Model.create(convnet()))
    assert (state.step, state.batches) == (BATCHES, BATCHES)


def test_interrupted_while_testing(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.training.evaluation.BATCH_BYTES", 0)
    data = dataset()
    assert data.test is not None
    _, result = train(replace(data, test=pressing(data.test)), run=run)
    assert result.interrupted
    assert len(result.history) == 3
    assert result.test is None
    assert run.best.exists()


def test_the_second_ctrl_c_is_not_held_back() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_training_in_a_thread_leaves_signals_alone() -> None:
    results = []
    thread = threading.Thread(target=lambda: results.append(train(dataset(), epochs=1)[1]))
    thread.start()
    thread.join()
    assert len(results[0].history) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_divergence_is_found_and_good_weights_are_kept(run: RunDirectory, workers: int) -> None:
    """A rate so large that the second step meets numbers that are not finite."""
    graph = sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}))
    with pytest.raises(DivergedError) as caught:
        train(dataset(), graph=graph, optimizer=SGD(lr=1e38, momentum=0.9), workers=workers, run=run)
    message = str(caught.value)
    step = len(run.read_steps()) + 1
    assert re.match(rf"training diverged in epoch 1: in step {step} the loss is (nan|inf);", message)
    assert "try a lower learning rate: --set optimizer.lr=0.01 (it was 1e+38)" in message
    assert f"the weights of the last checkpoint are in {run.last}" in message
    kept = Model.create(graph, seed=1)
    load_weights(run.last, kept)
    assert weights_of(kept) == weights_of(Model.create(graph, seed=5))
    assert not run.best.exists()


@pytest.mark.parametrize("full", [False, True])
def test_divergence_has_a_frame_and_a_full_disk_does_not_hide_it(
    run: RunDirectory, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the weights with which the loss is not finite."""

    def no_space(*arguments: object) -> None:
        raise OutputError("no space")

    recorder = Recorder()
    if full:
        recorder.step = lambda step: monkeypatch.setattr(Frames, "write", no_space)  # type: ignore[method-assign]
    graph = sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}))
    settings = TrainSettings(epochs=3, batch_size=16, watch=WatchSettings(every=1000))
    with pytest.raises(DivergedError) as caught:
        fit(
            Model.create(graph),
            dataset(),
            CROSS_ENTROPY,
            SGD(lr=1e38, momentum=0.9),
            settings,
            run=run,
            workers=1,
            listener=recorder,
        )
    updates = len(run.read_steps())
    assert f"in step {updates + 1} the " in str(caught.value)
    assert run.frames.steps == ((0,) if full else (0, updates))
    assert ("; the last frame is missing: no space" in str(caught.value)) == full


def test_divergence_in_the_last_step_of_an_epoch_is_found() -> None:
    graph = sequence((1, 6, 6), ("flatten", {}), ("linear", {"out_features": 3}))
    with pytest.raises(DivergedError, match=r"epoch 1: after step 1 linear1.weight holds numbers that are not finite"):
        train(dataset(val=0, test=0), graph=graph, optimizer=SGD(lr=1e300), epochs=1, batch_size=96)


def test_divergence_later_names_the_epoch_whose_weights_are_kept(run: RunDirectory) -> None:
    data = dataset()
    poisoned = Recorder()

    def step(step: Any) -> None:
        if step.step == BATCHES + 2:
            data.train.store[...] = 3e38

    poisoned.step = step  # type: ignore[method-assign]
    with pytest.raises(DivergedError, match=r"in epoch 2: in step 9 the output of conv2d0 is not finite; "):
        train(data, run=run, listener=poisoned)
    assert len(run.read_metrics()) == 1
    assert len(run.read_steps()) == BATCHES + 2
    state = load_state(run.state, Model.create(convnet()))
    assert (state.epochs, state.step) == (1, BATCHES)


def test_data_that_is_not_finite_is_told_apart_from_a_high_rate() -> None:
    data = dataset()
    data.train.store[...] = np.nan
    with pytest.raises(DataError, match=r"in train:\d+(, train:\d+){9}, \.\.\.;"):
        train(data)


def test_the_sample_that_is_not_finite_is_named() -> None:
    data = dataset()
    data.train.store[17, 0, 2, 3] = np.inf
    with pytest.raises(DataError, match=r"^the data hold a number that is not finite, in train:17;"):
        train(data)


def test_divergence_names_the_first_layer() -> None:
    graph = sequence(
        (1, 6, 6), ("flatten", {}), ("linear", {"out_features": 4}), ("tanh", {}), ("linear", {"out_features": 3})
    )
    model = Model.create(graph)
    model.parameters["linear3"]["bias"][1] = np.inf
    with pytest.raises(
        DivergedError,
        match=r"before the first step linear3\.bias holds numbers that are not finite; that is before the first update",
    ):
        fit(model, dataset(), CROSS_ENTROPY, FAST, TrainSettings(), workers=1)


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_targets_are_checked_before_the_first_step(name: str) -> None:
    data = replace(dataset(), **{name: replace(split(np.array([0, 1, 2, 0]), 0), targets=np.array([0, 1, 7, 0]))})
    recorder = Recorder()
    with pytest.raises(DataError, match=f"{name} split: .*7"):
        train(data, listener=recorder)
    assert recorder.steps == []


def test_an_empty_split_is_an_error() -> None:
    with pytest.raises(DataError, match="the val split holds no samples"):
        train(replace(dataset(), val=split(np.array([], np.int64), 0)))


def test_a_full_disk_ends_the_training_and_keeps_what_there_is(run: RunDirectory, monkeypatch: Any) -> None:
    def fill(step: Any) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        if step.epoch == 2:
            monkeypatch.setattr(os, "fsync", full)

    recorder = Recorder()
    recorder.step = fill  # type: ignore[method-assign]
    with pytest.raises(OutputError, match="No space left on device; free some space"):
        train(dataset(), run=run, listener=recorder)
    assert load_state(run.state, Model.create(convnet())).epochs == 1
    assert len(run.read_metrics()) == 1


def test_a_batch_larger_than_the_data_is_all_of_it() -> None:
    recorder = Recorder()
    train(dataset(), epochs=2, batch_size=1000, listener=recorder)
    assert [step.samples for step in recorder.steps] == [96, 96]


def test_running_statistics_that_overflow_are_found_in_their_step(run: RunDirectory) -> None:
    """The square of 3e25 is too large for float32; what batch norm makes of it is not."""
    data = dataset()
    data.train.store[...] *= np.float32(3e25)
    with pytest.raises(DivergedError, match=r"in step 1 (a sum over the batch|the output of)"):
        train(data, run=run)
    assert (run.diverged / "batch.npz").exists()


def test_validation_data_that_are_not_finite_are_named() -> None:
    """And not taken for a network that diverged."""
    data = dataset()
    assert data.val is not None
    data.val.store[7, 0, 2, 3] = np.nan
    with pytest.raises(DataError, match=r"^the data hold a number that is not finite, in val:7;"):
        train(data)
