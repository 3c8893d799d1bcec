"""Metrics against plain formulas, and gathered batch by batch."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnncli.losses import LOSSES
from cnncli.training.metrics import TASKS, Scores, Totals, task_of

RNG = np.random.default_rng(0)
Cut = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def gathered(task: str, output: NDArray[np.float32], targets: NDArray[np.generic], sizes: list[int]) -> Scores:
    """In batches of these sizes, and a last one of the rest."""
    totals = Totals(TASKS[task])
    values = np.square(output.reshape(len(output), -1)).sum(axis=1)
    edges = [0, *np.cumsum(sizes).tolist(), len(output)]
    for start, stop in pairwise(edges):
        totals.add(values[start:stop], output[start:stop], targets[start:stop])
        totals = Totals.from_json(TASKS[task], json.loads(json.dumps(totals.to_json())))
    return totals.scores()


@given(sizes=Cut, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_classification(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    output, targets = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 4, 60)
    scores = gathered("classification", output, targets, sizes)
    assert scores.accuracy == sum(int(row.argmax() == target) for row, target in zip(output, targets, strict=True)) / 60
    assert scores.loss == pytest.approx(float((output**2).sum(axis=1).mean()), rel=1e-6)
    shares = np.eye(4, dtype=np.float32)[targets] * 0.9 + 0.025
    assert gathered("classification", output, shares, sizes).accuracy == scores.accuracy


@given(sizes=Cut, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_multi_label(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, targets = rng.normal(size=(60, 3)).astype(np.float32), rng.integers(0, 2, (60, 3)).astype(np.float32)
    scores = gathered("multi-label", logits, targets, sizes)
    right = (1 / (1 + np.exp(-logits)) > 0.5) == (targets == 1)
    assert scores.accuracy == pytest.approx(right.mean())
    assert scores.metrics["exact_match"] == right.all(axis=1).mean()


@given(sizes=Cut, shift=st.sampled_from([0.0, 1e3]), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_regression(sizes: list[int], shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = (rng.normal(size=(60, 2)) * [1, 5] + shift).astype(np.float32)
    output = (targets + rng.normal(size=(60, 2))).astype(np.float32)
    scores = gathered("regression", output, targets, sizes)
    errors = output.astype(np.float64) - targets
    residual, spread = (errors**2).sum(axis=0), ((targets - targets.mean(axis=0, dtype=np.float64)) ** 2).sum(axis=0)
    assert scores.metrics["mae"] == pytest.approx(np.abs(errors).mean())
    assert scores.metrics["r2"] == pytest.approx((1 - residual / spread).mean(), rel=1e-6)
    assert scores.accuracy is None


@pytest.mark.parametrize(("offset", "r2"), [(0.0, 1.0), (0.25, 0.0)])
def test_r2_of_targets_that_are_all_the_same(offset: float, r2: float) -> None:
    targets = np.full((30, 1), 0.1, np.float32)
    assert gathered("regression", targets + np.float32(offset), targets, [7]).metrics["r2"] == r2


@pytest.mark.parametrize("task", ["multi-label", "regression"])
def test_a_single_output_has_numbers_without_an_axis(task: str) -> None:
    output, targets = RNG.normal(size=(60, 1)).astype(np.float32), RNG.integers(0, 2, 60)
    assert gathered(task, output, targets, [7]) == gathered(task, output, targets[:, None].astype(np.float32), [7])


def test_positions_are_averaged() -> None:
    output, targets = RNG.normal(size=(60, 4, 2, 3)).astype(np.float32), RNG.integers(0, 4, (60, 2, 3))
    scores = gathered("classification", output, targets, [7])
    assert scores.accuracy == pytest.approx((output.argmax(axis=1) == targets).mean())


CLASSES, NUMBERS = np.array([0, 1]), np.array([[0.0, 1.0], [1.0, 1.0]], np.float32)


@pytest.mark.parametrize(
    ("loss", "targets", "shape", "task"),
    [
        ("cross_entropy", CLASSES, (2,), "classification"),
        ("cross_entropy", NUMBERS, (2,), "classification"),
        ("mse", CLASSES, (2,), "classification"),
        ("mse", NUMBERS, (2,), "regression"),
        ("mse", CLASSES, (1,), "regression"),
        ("bce_with_logits", CLASSES, (2,), "classification"),
        ("bce_with_logits", NUMBERS, (2,), "multi-label"),
        ("bce_with_logits", CLASSES, (1,), "multi-label"),
    ],
)
def test_loss_and_targets_tell_the_task(
    loss: str, targets: NDArray[np.generic], shape: tuple[int, ...], task: str
) -> None:
    assert task_of(LOSSES[loss](), targets, shape).name == task


def test_every_loss_has_a_task() -> None:
    assert set(LOSSES) == {"cross_entropy", "mse", "bce_with_logits"}, "add the new loss to the table above"
