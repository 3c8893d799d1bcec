"""The plain lines that a pipe gets."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cnncli.engine.names import ArrayName
from cnncli.training.evaluation import EvalResult
from cnncli.training.history import Record
from cnncli.training.metrics import Scores
from cnncli.training.progress import PlainLines, Plan
from cnncli.training.result import TrainResult
from cnncli.training.watch import WatchPlan

TRAIN, VAL = Scores(0.512345, {"accuracy": 0.81234}), Scores(1234567.0, {"mae": 0.25, "r2": -3.0})


def test_lines() -> None:
    stream = io.StringIO()
    lines = PlainLines(stream)
    lines.started(Plan(3, 79, 79, 64, {"train": 5000, "test": 1000}, "classification", ("train", "accuracy"), None))
    epoch = Record(1, 79, 0.1, TRAIN, None, 4.05, 12345.6, 0.0)
    lines.recorded(epoch, best=True)
    lines.recorded(Record(2, 158, 0.1, TRAIN, VAL, 4.05, 999.6, 0.0), best=False)
    test = EvalResult("test", 1000, 0.25, 0.9, {"accuracy": 0.9})
    lines.ended(TrainResult(Path("runs/x"), 1, 79, (epoch,), None, test, 1.0, 1.0, True, False))
    assert stream.getvalue().splitlines() == [
        "samples: 5,000 train, 1,000 test; 79 batches of 64 an epoch",
        "no val split: the best epoch is chosen by the training accuracy",
        "epoch 1/3  loss 0.5123  accuracy 81.23%  12,346 img/s  4.0 s  best",
        "epoch 2/3  loss 0.5123  accuracy 81.23%  val loss 1.235e+06  mae 0.2500  r2 -3.0000  1,000 img/s  4.0 s",
        "interrupted after 1 of 3 epochs",
    ]


def test_what_will_be_watched_is_told_with_its_size() -> None:
    stream = io.StringIO()
    watch = WatchPlan(("test:0", "test:3"), 1200, 61, {ArrayName("activation", "conv1"): (2, 6, 28, 28)}, 2_295_552)
    PlainLines(stream).started(Plan(1, 79, 79, 64, {"train": 5000}, "classification", ("val", "accuracy"), None, watch))
    assert stream.getvalue().splitlines()[-1] == "watching test:0, test:3: 61 frames, every 1,200 steps, 2.3 MB"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (102, "epoch 10/10  loss 0.3712  accuracy 87.25%  val loss 0.4019  accuracy 86.10%  12,346 img/s  4.0 s  best"),
        (101, "epoch 10/10  loss 0.3712  accuracy 87.25%  val loss 0.4019  accuracy 86.10%  12,346 img/s  best"),
        (82, "epoch 10/10  loss 0.3712  accuracy 87.25%  val loss 0.4019  accuracy 86.10%  best"),
        (76, "10/10  loss 0.3712  accuracy 87.25%  val loss 0.4019  accuracy 86.10%  best"),
        (60, "10/10  val loss 0.4019  accuracy 86.10%  best"),
        (20, "10/10  val loss 0.4019  accuracy 86.10%  best"),
    ],
)
def test_a_line_that_must_fit_says_less(width: int, line: str) -> None:
    stream = io.StringIO()
    lines = PlainLines(stream, width)
    lines.epochs = 10
    train, val = Scores(0.3712, {"accuracy": 0.8725}), Scores(0.4019, {"accuracy": 0.861})
    lines.recorded(Record(10, 790, 0.1, train, val, 4.05, 12345.6, 0.0), best=True)
    assert stream.getvalue() == line + "\n"
