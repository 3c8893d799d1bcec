"""A training that was stopped goes on as if it never had been, whatever it is made of."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import cnncli
from cnncli.errors import CheckpointError, OutputError, UsageError
from cnncli.training.lock import is_locked, locked
from cnncli.training.progress import Listener, Plan, Step
from cnncli.training.run_directory import RunDirectory

CONFIG = """
name: toy
data: {source: fashion-mini, limit: 200, validation: 40, normalize: auto}
model:
  input: [1, 28, 28]
  layers:
    - {type: avg_pool2d, kernel_size: 4}
    - {type: conv2d, out_channels: 4, kernel_size: 3, bias: false}
    - batch_norm
    - relu
    - flatten
    - {type: dropout, p: 0.3}
    - {type: linear, out_features: 10}
optimizer: {type: adam, lr: 0.01}
train: {epochs: 3, batch_size: 32}
"""
BATCHES = 5  # an epoch: 160 samples

KINDS: dict[str, list[str]] = {
    "plain": [],
    "momentum": ["optimizer={type: sgd, lr: 0.05, momentum: 0.9, nesterov: true}"],
    "cosine with warm-up": ["schedule={type: cosine, warmup: 1}"],
    "one-cycle": ["schedule=one_cycle"],
    "plateau": ["schedule={type: plateau, patience: 0, factor: 0.5}", "train.validate_every={steps: 2}"],
    "average": ["train.ema=0.9", "train.clip_norm=0.5"],
    "accumulation": ["train.accumulate=2", "train.clip_value=0.1"],
    "validation within epochs": ["train.validate_every={steps: 3}", "train.metrics=[top5, f1]", "train.monitor=f1"],
    "validation seldom": ["train.validate_every={epochs: 2}"],
    "no validation": ["data.validation=0"],
    "augmentation": ["data.augment=[horizontal_flip, {type: crop, padding: 2}, {type: mixup, alpha: 0.4}]"],
    "balanced": ["data.sampling=balanced", "train.class_weight=balanced", "train.freeze=[conv2d1]"],
    "stopping early": ["train.early_stopping={patience: 2}", "train.validate_every={steps: 1}", "train.epochs=30"],
}


class Pausing(Listener):
    """Asks the training to end after so many of its updates; remembers what it is told."""

    def __init__(self, after: int | None = None) -> None:
        self.after = after
        self.updates = 0
        self.plan: Plan | None = None

    def started(self, plan: Plan) -> None:
        self.plan = plan

    def step(self, step: Step) -> None:
        self.updates += 1
        if self.updates == self.after:
            os.kill(os.getpid(), signal.SIGTERM)


def files(run: Path) -> dict[str, Any]:
    """All that a training leaves, but for the times."""
    timed = ("seconds", "images_per_second", "data_wait")
    directory = RunDirectory.open(run)

    def without_times(rows: list[dict[str, Any]]) -> str:
        return str([{key: value for key, value in row.items() if key not in timed} for row in rows])

    state = load_file(directory.state)
    result = json.loads(directory.result.read_text())
    return {
        "best": directory.best.read_bytes(),
        "last": directory.last.read_bytes(),
        "state": {key: array.tobytes() for key, array in state.items()},
        "metrics": without_times(directory.read_metrics()),
        "health": directory.health.read_text(),
        "steps": without_times(directory.read_steps()),
        "result": str([result[key] for key in ("epochs", "step", "best", "test", "interrupted", "stopped_early")]),
        "others": sorted(entry.name for entry in run.iterdir() if entry.name != "config.yaml"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_going_on_gives_the_same_bits(kind: str, tmp_path: Path) -> None:
    """Stopped again and again: within an epoch, at its end, in the next."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    result = cnncli.train(CONFIG, out=whole, set=KINDS[kind], workers=1)
    done = cnncli.train(CONFIG, out=parts, set=KINDS[kind], workers=1, listener=Pausing(2))
    assert done.interrupted
    stops = 1
    for after in (1, 2, 3, 2, 1):
        if done.interrupted:
            done = cnncli.train(resume=parts, workers=1, listener=Pausing(after))
            stops += done.interrupted
    if done.interrupted:
        done = cnncli.train(resume=parts, workers=1)
    assert stops >= 2
    assert not done.interrupted
    assert (done.step, done.best) == (result.step, result.best)
    mine, theirs = files(parts), files(whole)
    for name in theirs:
        assert mine[name] == theirs[name], name


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("finished") / "run"
    cnncli.train(CONFIG, out=run, workers=1)
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A finished training of one's own."""
    return shutil.copytree(finished, tmp_path / "run")


def test_a_finished_training_says_so_and_changes_nothing(run: Path) -> None:
    before, listener = files(run), Pausing()
    cnncli.train(resume=run, workers=1, listener=listener)
    assert listener.updates == 0
    assert listener.plan is not None
    assert listener.plan.notes == (
        f"{run} is finished: 3 of 3 epochs; to train longer: --resume {run} --set train.epochs=6",
    )
    assert files(run) == before


def test_with_a_change_a_new_run_goes_on_and_the_old_one_stays(run: Path, tmp_path: Path) -> None:
    before, longer, whole = files(run), tmp_path / "longer", tmp_path / "whole"
    result = cnncli.train(resume=run, set=["train.epochs=5"], out=longer, workers=1)
    assert result.epochs == 5
    assert result.run == longer
    assert files(run) == before
    cnncli.train(CONFIG, set=["train.epochs=5"], out=whole, workers=1)
    mine, theirs = files(longer), files(whole)
    for name in theirs:
        assert mine[name] == theirs[name], name


@pytest.mark.parametrize(("kind", "fresh"), [("{type: adam, lr: 0.003}", False), ("adamw", True)])
def test_another_optimizer_begins_afresh(run: Path, tmp_path: Path, kind: str, fresh: bool) -> None:
    """Though its arrays have the same names."""
    out = tmp_path / "out"
    result = cnncli.train(resume=run, set=["train.epochs=4", f"optimizer={kind}"], out=out, workers=1)
    assert result.step == 4 * BATCHES
    about = json.loads(state_header(out)["cnncli"])
    assert about["updates"] == (BATCHES if fresh else 4 * BATCHES)


def state_header(run: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(RunDirectory.open(run).state, framework="np") as file:
        found: dict[str, str] = file.metadata()
    return found


@pytest.mark.parametrize(
    "changes",
    [
        ["train.monitor=f1"],
        ["train.metrics=[top3]"],
        ["data.validation=60"],
        ["loss={type: cross_entropy, label_smoothing: 0.1}"],
        ["train.class_weight=balanced"],
    ],
)
@pytest.mark.parametrize("after", [BATCHES, BATCHES + 2])
def test_with_another_judgement_nothing_is_compared_with_before(tmp_path: Path, changes: list[str], after: int) -> None:
    paused, out = tmp_path / "paused", tmp_path / "out"
    cnncli.train(CONFIG, out=paused, workers=1, listener=Pausing(after))
    result = cnncli.train(resume=paused, set=changes, out=out, workers=1)
    assert result.epochs == 3
    assert result.history[0].step > after
    assert result.best is not None
    assert result.best.step > after


def test_the_best_of_another_judgement_is_not_kept(run: Path, tmp_path: Path) -> None:
    """Not even where training is stopped before there is a new one."""
    out = tmp_path / "out"
    cnncli.train(resume=run, set=["train.epochs=5", "seed=9"], out=out, workers=1, listener=Pausing(1))
    assert not RunDirectory.open(out).best.exists()


def test_what_there_is_nothing_left_to_do_for_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing is left to train: 3 of 3 epochs .* --set train\.epochs=6"):
        cnncli.train(resume=run, set=["optimizer.lr=0.1"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "{type: step, step_size: 1}"])
def test_with_other_batches_a_schedule_goes_by_epochs(tmp_path: Path, schedule: str) -> None:
    paused, out, whole = (tmp_path / name for name in ("paused", "out", "whole"))
    changes = [f"schedule={schedule}"]
    cnncli.train(CONFIG, out=paused, workers=1, set=changes, listener=Pausing(BATCHES + 2))
    cnncli.train(resume=paused, set=["train.batch_size=20"], out=out, workers=1)
    cnncli.train(CONFIG, out=whole, workers=1, set=[*changes, "train.batch_size=20"])
    mine, theirs = ([step["lr"] for step in RunDirectory.open(run).read_steps()] for run in (out, whole))
    assert mine[-16:] == theirs[-16:]


def test_starting_weights_do_not_go_with_resume(run: Path) -> None:
    with pytest.raises(UsageError, match=r"leave train\.weights out"):
        cnncli.train(resume=run, set=[f"train.weights={run}/best.safetensors"])


@pytest.mark.parametrize(
    "change",
    [
        {"pace": {"secnds": 1}},
        {"pace": 3},
        {"totals": {"samples": "many", "loss": 0.0, "sums": {}}},
        {"totals": {"samples": 3, "loss": 0.0, "sums": {"mae": [1.0]}}},
        {"step": "seven"},
        {"batches": 77},
        {"batches": 2},
        {"epochs": -1},
        {"last_update": [1]},
        {"history": [{"epoch": 1}]},
        {"data": 7},
        {"warned": 7},
    ],
    ids=str,
)
def test_a_state_that_says_something_else_is_an_error(run: Path, change: dict[str, Any]) -> None:
    from safetensors.numpy import save_file

    path = RunDirectory.open(run).state
    header = state_header(run)
    save_file(load_file(path), path, {"cnncli": json.dumps({**json.loads(header["cnncli"]), **change})})
    with pytest.raises(CheckpointError):
        cnncli.train(resume=run, workers=1)


def test_with_other_batches_an_unfinished_epoch_begins_anew(tmp_path: Path) -> None:
    paused = tmp_path / "paused"
    cnncli.train(CONFIG, out=paused, workers=1, listener=Pausing(BATCHES + 2))
    result = cnncli.train(resume=paused, set=["train.batch_size=20"], out=tmp_path / "out", workers=1)
    assert result.step == BATCHES + 2 + 2 * 8


def test_another_configuration_is_refused_with_what_differs(run: Path) -> None:
    with pytest.raises(UsageError) as caught:
        cnncli.train(CONFIG.replace("lr: 0.01", "lr: 0.02").replace("p: 0.3", "p: 0.4"), resume=run)
    message = str(caught.value)
    assert "its configuration is another one" in message
    assert "\n  model.layers.dropout1.p: 0.3 in the run, 0.4 now" in message
    assert "\n  optimizer.lr: 0.01 in the run, 0.02 now" in message
    assert message.count("\n") == 2
    cnncli.train(CONFIG, resume=run, workers=1)  # the same is taken


def test_other_data_are_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnncli.data.sources.embedded import FashionMini

    read = FashionMini.read

    def shifted(self: FashionMini, *args: Any, **options: Any) -> Any:
        pools = read(self, *args, **options)
        pools["train"].targets[...] = np.roll(pools["train"].targets, 1)
        return pools

    monkeypatch.setattr(FashionMini, "read", shifted)
    with pytest.raises(CheckpointError, match="not those that it was trained on: the targets of the train"):
        cnncli.train(resume=run)


@pytest.mark.parametrize("content", [b"", b"torn", None])
def test_best_weights_of_another_moment(run: Path, content: bytes | None) -> None:
    """Of the moment of the state they are made again; of an earlier one nobody has them."""
    directory = RunDirectory.open(run)
    best = json.loads(directory.result.read_text())["best"]["step"]
    if content is None:
        directory.best.unlink()
    else:
        directory.best.write_bytes(content)
    if best == 3 * BATCHES:
        cnncli.train(resume=run, workers=1)
        assert directory.best.exists()
    else:
        with pytest.raises(CheckpointError, match=r"best\.safetensors: is missing or not that of epoch"):
            cnncli.train(resume=run, workers=1)


@pytest.mark.parametrize("left", [[], ["last.state.safetensors", "best.safetensors"]])
def test_where_a_training_had_not_begun_one_begins(tmp_path: Path, left: list[str]) -> None:
    """A directory is a run when there is a state to go on from; what a killed process left before is no hindrance."""
    run, whole = tmp_path / "run", tmp_path / "whole"
    cnncli.train(CONFIG, out=whole, workers=1)
    run.mkdir()
    (run / "watch").mkdir()
    (run / ".begun").touch()
    for name in ("config.yaml.0123abcd", *left):
        (run / f".{name}.tmp").write_bytes(b"torn")
    for name in left:
        (run / name).write_bytes(b"of nothing")
    with pytest.raises(CheckpointError, match=r"has no config\.yaml"):
        cnncli.train(resume=run)
    cnncli.train(CONFIG, out=run, workers=1)
    assert files(run) == files(whole)


def test_a_run_is_complete_before_it_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is stopped, config.yaml stands beside a state with the weights to start from."""
    seen = []

    def establish(self: RunDirectory) -> None:
        seen.append(self.state.exists())
        assert not self.config.exists()
        raise OutputError("stopped")

    monkeypatch.setattr(RunDirectory, "establish", establish)
    with pytest.raises(OutputError, match="stopped"):
        cnncli.train(CONFIG, out=tmp_path / "run", workers=1)
    assert seen == [True]


def test_what_another_process_has_done_meanwhile_is_not_undone(tmp_path: Path) -> None:
    from cnncli.api.train import prepare

    run, whole = tmp_path / "run", tmp_path / "whole"
    cnncli.train(CONFIG, out=whole, workers=1)
    cnncli.train(CONFIG, out=run, workers=1, listener=Pausing(7))
    late = prepare(resume=run, workers=1)
    cnncli.train(resume=run, workers=1)
    late.train(None)
    assert files(run) == files(whole)


def test_a_run_goes_on_in_its_precision(tmp_path: Path) -> None:
    run = tmp_path / "run"
    cnncli.train(CONFIG, out=run, dtype="float64", workers=1, listener=Pausing(3))
    with pytest.raises(UsageError, match="was trained in float64; a training goes on in the precision it has"):
        cnncli.train(resume=run, dtype="float32")
    cnncli.train(resume=run, workers=1)
    assert load_file(run / "last.safetensors")["linear1.weight"].dtype == np.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resume": "nowhere"}, "nowhere: no such run directory"),
        ({}, r"which network\? give --config FILE .* or --resume RUN"),
    ],
)
def test_what_cannot_be_gone_on_with(options: dict[str, Any], message: str) -> None:
    with pytest.raises((CheckpointError, UsageError), match=message):
        cnncli.train(**options)


def test_weights_come_with_the_run(run: Path) -> None:
    with pytest.raises(UsageError, match="--resume brings its own weights"):
        cnncli.train(resume=run, checkpoint=run / "best.safetensors")


def test_two_trainers_in_one_directory_are_refused(run: Path) -> None:
    directory = RunDirectory.open(run)
    assert not directory.is_locked()
    with directory.locked():
        assert directory.is_locked()
        with pytest.raises(UsageError, match=re.escape(f"{run}: another process is training there")):
            cnncli.train(resume=run)
        with pytest.raises(UsageError, match=re.escape(f"{run} is being trained; wait for it")):
            cnncli.train(resume=run, set=["train.epochs=5"])
    assert not directory.is_locked()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"), locked(tmp_path / "nowhere" / "lock"):
        pass
    assert not is_locked(tmp_path / "nowhere" / "lock")


def test_starting_from_other_weights(run: Path, tmp_path: Path) -> None:
    """By name and shape; what does not fit is told and left as it is drawn."""
    listener = Pausing(1)
    twelve = CONFIG.replace("out_features: 10", "out_features: 12")
    changes = ["optimizer.lr=0.0", f"train.weights={run}/best.safetensors"]
    cnncli.train(twelve, set=changes, out=tmp_path / "new", workers=1, listener=listener)
    assert listener.plan is not None
    note, *left = listener.plan.notes
    assert note == f"starting from {run}/best.safetensors: 6 of 8 tensors"
    assert left == [
        "  linear1.weight: shape (10, 100) in the file, (12, 100) in the network",
        "  linear1.bias: shape (10,) in the file, (12,) in the network",
    ]
    mine, theirs = load_file(tmp_path / "new" / "last.safetensors"), load_file(run / "best.safetensors")
    assert np.array_equal(mine["conv2d1.weight"], theirs["conv2d1.weight"])


def test_weights_of_which_nothing_fits(run: Path, tmp_path: Path) -> None:
    other = "model: {input: [1, 28, 28], layers: [flatten, {type: linear, name: only, out_features: 10}]}\n"
    with pytest.raises(CheckpointError, match=r"no tensor has the name and the shape .* such as only\.weight"):
        cnncli.train(f"data: fashion-mini\n{other}train: {{weights: {run}/best.safetensors}}\n", out=tmp_path / "new")
    assert not (tmp_path / "new").exists()
