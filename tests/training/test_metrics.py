"""Metrics against plain formulas, and gathered batch by batch."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.losses import LOSSES
from cnncli.training.metrics import METRICS, TASKS, Scores, Task, Totals, is_share, score_text, task_of, whole_task
from cnncli.training.metrics.baseline import baseline_of

RNG = np.random.default_rng(0)
Cut = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def gathered(task: str | Task, output: NDArray[Any], targets: NDArray[Any], sizes: list[int]) -> Scores:
    """In batches of these sizes, and a last one of the rest."""
    task = TASKS[task] if isinstance(task, str) else task
    totals = Totals(task)
    values = np.square(output.reshape(len(output), -1)).sum(axis=1)
    edges = [0, *np.cumsum(sizes).tolist(), len(output)]
    for start, stop in pairwise(edges):
        totals.add(values[start:stop], output[start:stop], targets[start:stop])
        totals = Totals.from_json(task, json.loads(json.dumps(totals.to_json())))
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


PLACES = np.arange(40)
LOGITS = np.sin(1.7 * PLACES[:, None] + np.arange(6) * 2.3 + 0.4 * PLACES[:, None] * np.arange(6))
TRUE = (PLACES * PLACES + PLACES // 3) % 5  # of six classes; the last is predicted, but never true
LABELS = (np.cos(1.1 * PLACES[:, None] + 3 * np.arange(4)) > [0.3, 0.8, -0.5, 2]).astype(np.float32)  # the last: never
WANTED = np.stack([3 * np.cos(PLACES), PLACES / 10, np.sin(PLACES) + 100], axis=1)

SCIKIT_LEARN = {
    "cross_entropy": {
        "accuracy": 0.125,
        "balanced_accuracy": 0.20833333333333331,
        "precision": 0.12698412698412698,
        "recall": 0.17361111111111108,
        "f1": 0.14074074074074075,
        "top2": 0.3,
        "top3": 0.425,
    },
    "bce_with_logits": {
        "accuracy": 0.44375,
        "exact_match": 0.05,
        "precision": 0.2978174603174603,
        "recall": 0.41724537037037035,
        "f1": 0.3183531746031746,
    },
    "mse": {"mae": 0.19153962819854117, "rmse": 0.21202938280210795, "r2": 0.9546523766510809},
}
"""What sklearn.metrics of scikit-learn 1.9 says: average="macro", zero_division=0."""

SAMPLES: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {
    "cross_entropy": (LOGITS, TRUE),
    "bce_with_logits": (LOGITS[:, :4], LABELS),
    "mse": (WANTED + 0.3 * LOGITS[:, :3], WANTED),
}


@pytest.mark.parametrize("sizes", [[], [1, 7, 3]])
@pytest.mark.parametrize("loss", SCIKIT_LEARN)
def test_all_that_can_be_measured_is_as_in_scikit_learn(loss: str, sizes: list[int]) -> None:
    output, targets = SAMPLES[loss]
    extra = ("top2", "top3") if loss == "cross_entropy" else ()
    task = whole_task(LOSSES[loss](), targets, output.shape[1:], extra)
    scores = gathered(task, output, targets, sizes).metrics
    top5 = scores.pop("top5", None)
    assert scores == pytest.approx(SCIKIT_LEARN[loss], abs=1e-12)
    assert (top5 is None) == (loss != "cross_entropy")


def test_top_k_counts_those_before_it_among_equals_and_takes_nan_for_wrong() -> None:
    output = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [np.nan, 2, 1, 0], [0, np.nan, 2, 1]])
    targets = np.array([1, 2, 1, 1])
    task = task_of(LOSSES["cross_entropy"](), targets, (4,), ("top1", "top2", "top3"))
    scores = gathered(task, output, targets, []).metrics
    assert scores["top1"] == 0  # the first of equals is the largest, as for accuracy
    assert scores["top2"] == 0.5
    assert scores["top3"] == 0.75


def test_positions_count_one_by_one_for_the_classes() -> None:
    output, targets = RNG.normal(size=(30, 4, 2, 3)), RNG.integers(0, 4, (30, 2, 3))
    task = task_of(LOSSES["cross_entropy"](), targets, (4, 2, 3), ("f1", "top2"))
    flat = np.moveaxis(output, 1, -1).reshape(-1, 4)
    one_by_one = task_of(LOSSES["cross_entropy"](), targets.ravel(), (4,), ("f1", "top2"))
    whole = gathered(task, output, targets, [7]).metrics
    assert whole == pytest.approx(gathered(one_by_one, flat, targets.ravel(), [7]).metrics)


def test_what_is_asked_for_is_measured_besides() -> None:
    task = task_of(LOSSES["cross_entropy"](), CLASSES, (9,), ("f1", "top5", "f1"))
    assert [metric.name for metric in task.metrics] == ["accuracy", "f1", "top5"]
    assert task.monitor == "accuracy"
    task = task_of(LOSSES["mse"](), NUMBERS, (2,), monitor="rmse")
    assert [metric.name for metric in task.metrics] == ["mae", "r2", "rmse"]
    assert task.monitor == "rmse"


@pytest.mark.parametrize(
    ("monitor", "better", "worse"),
    [
        (None, Scores(9.0, {"accuracy": 0.5}), Scores(1.0, {"accuracy": 0.4})),
        (None, Scores(1.0, {"accuracy": 0.5}), Scores(2.0, {"accuracy": 0.5})),
        ("loss", Scores(1.0, {"accuracy": 0.4}), Scores(9.0, {"accuracy": 0.5})),
        ("f1", Scores(9.0, {"accuracy": 0.4, "f1": 0.6}), Scores(1.0, {"accuracy": 0.5, "f1": 0.5})),
    ],
)
def test_the_monitored_number_decides_and_then_the_loss(monitor: str | None, better: Scores, worse: Scores) -> None:
    task = task_of(LOSSES["cross_entropy"](), CLASSES, (2,), monitor=monitor)
    assert task.badness(better) < task.badness(worse)


def test_of_errors_the_lower_is_better_and_nan_is_the_worst() -> None:
    task = task_of(LOSSES["mse"](), NUMBERS, (2,), monitor="mae")
    best, worse, none = (task.badness(Scores(1.0, {"mae": mae})) for mae in (0.5, 2.0, float("nan")))
    assert best < worse < none == (float("inf"), 1.0)
    upwards = task_of(LOSSES["mse"](), NUMBERS, (2,), monitor="r2")
    assert upwards.badness(Scores(1.0, {"r2": 0.9})) < upwards.badness(Scores(1.0, {"r2": -0.5}))


@pytest.mark.parametrize(
    ("loss", "targets", "wanted", "monitor", "message"),
    [
        (
            "cross_entropy",
            CLASSES,
            ["acuracy"],
            None,
            "train.metrics: 'acuracy' is not measured for classification; did you mean 'accuracy'?",
        ),
        (
            "cross_entropy",
            CLASSES,
            ["mae"],
            None,
            "train.metrics: 'mae' is not measured for classification; there are accuracy, balanced_accuracy, "
            "precision, recall, f1, top2, top3, ...",
        ),
        ("cross_entropy", CLASSES, ["top2"], None, "train.metrics: top2 of 2 classes is always right; expected fewer"),
        ("cross_entropy", CLASSES, ["top0"], None, "train.metrics: 'top0' is not measured"),
        (
            "bce_with_logits",
            NUMBERS,
            ["top1"],
            None,
            "train.metrics: 'top1' is not measured for multi-label; there are",
        ),
        (
            "mse",
            NUMBERS,
            [],
            "accuracy",
            "train.monitor: 'accuracy' is not measured for regression; there are loss, mae",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(
    loss: str, targets: NDArray[Any], wanted: list[str], monitor: str | None, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        task_of(LOSSES[loss](), targets, (2,), wanted, monitor)
    assert str(caught.value).startswith(message)


def test_shares_are_shown_as_percentages() -> None:
    assert {name for name in METRICS if not is_share(name)} == {"mae", "rmse", "r2"}
    assert (is_share("top5"), is_share("loss")) == (True, False)
    assert [score_text(*each) for each in (("top5", 0.98765), ("mae", 0.5), ("loss", 1e-5))] == [
        "98.77%",
        "0.5000",
        "1.000e-05",
    ]


@pytest.mark.parametrize(
    ("loss", "targets", "shape", "expected"),
    [
        ("cross_entropy", np.array([0, 0, 1, 0]), (2,), (0.562335, 0.75, np.log(2))),
        ("cross_entropy", np.full((3, 2), 0.5), (2,), (np.log(2), 0.5, np.log(2))),
        ("cross_entropy", np.array([[0, 1], [0, 2], [0, 1], [0, 1]]), (3, 2), (0.562335 / 2, 0.875, np.log(3))),
        ("cross_entropy", np.full((3, 2), 2.0), (2,), (4 * np.log(2), 2, 4 * np.log(2))),
        ("bce_with_logits", np.array([[1.0], [0.0], [1.0], [1.0]]), (1,), (0.562335, 0.75, np.log(2))),
        ("bce_with_logits", np.array([[0, 1], [0, 1]]), (2, 2), (0, 1, np.log(2))),
        ("mse", np.array([[1.0], [3.0]]), (1,), (1, None, 1)),
        ("mse", np.array([[0.1, 1e9]], np.float32), (2,), (0, None, 0)),
    ],
)
def test_the_loss_of_guessing(
    loss: str, targets: NDArray[Any], shape: tuple[int, ...], expected: tuple[float, float | None, float]
) -> None:
    """With positions the answer is one for each."""
    found = baseline_of(LOSSES[loss](), targets, shape)
    assert (found.loss, found.even) == pytest.approx((expected[0], expected[2]), abs=1e-6)
    assert found.accuracy == pytest.approx(expected[1])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["numbers of classes", "numbers"])
def test_no_constant_answer_is_better_than_the_baseline(loss: str, kind: str) -> None:
    rng = np.random.default_rng(3)
    numbered = rng.choice(3, 400, p=[0.6, 0.3, 0.1])
    targets = numbered if kind == "numbers of classes" else np.eye(3)[numbered]
    found = baseline_of(LOSSES[loss](), targets, (3,))
    mean = np.eye(3)[numbered].mean(axis=0)
    best = {"cross_entropy": np.log(mean), "bce_with_logits": np.log(mean / (1 - mean)), "mse": mean}[loss]
    encoded = LOSSES[loss]().encode(targets, (3,))

    def constant(answer: NDArray[np.float64]) -> float:
        values, _ = LOSSES[loss]().forward(np.repeat(answer[:, None], 400, axis=1), encoded)
        return float(values.mean())

    assert found.loss == pytest.approx(constant(best))
    assert all(constant(best + 0.1 * rng.normal(size=3)) > found.loss for _ in range(10))
    assert found.even == pytest.approx(found.loss if loss == "mse" else constant(np.zeros(3)))
    if kind == "numbers of classes":
        assert found.accuracy == pytest.approx(mean.max())
