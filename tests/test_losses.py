"""Losses: values, gradients, targets that do not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.errors import DataError
from cnncli.losses import LOSSES, Loss, are_classes, class_numbers

Array = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A loss of outputs (N, *shape), batch first. `value`: PyTorch's mean over the batch, and of the gradient the
    first element and the norm."""

    loss: Loss
    y: Array
    targets: Array
    value: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.y.shape[1:]

    def forward(self, y: Array) -> tuple[Array, Any]:
        """For y batch last."""
        return self.loss.forward(y, self.loss.encode(self.targets, self.shape))

    def gradient(self) -> Array:
        """Of the mean over the batch, batch first."""
        _, cache = self.forward(last(self.y))
        return np.moveaxis(self.loss.backward(cache), -1, 0) / len(self.y)


def last(array: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(array, 0, -1))


def scattered(*shape: int) -> Array:
    k = np.arange(1, int(np.prod(shape)) + 1)
    return 3 * np.sin(0.7 * k * k).reshape(shape)


def make(kind: str, y: Array, targets: Array, value: tuple[float, float, float], **options: Any) -> Case:
    return Case(LOSSES[kind].model_validate(options), y, targets, value)


CLASSES = np.array([0, 2, 1])
SHARES = np.array([[0.2, 0.8, 0, 0], [0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]])
MAP = np.arange(12).reshape(2, 2, 3) % 4
ONES = np.array([0, 1, 1])
LIKELY = np.abs(np.sin(np.arange(12.0))).reshape(3, 4)
CASES = {
    "cross entropy": make("cross_entropy", scattered(3, 4), CLASSES, (0.868584035675, -0.119025046838, 0.417854444542)),
    "cross entropy, smoothed": make(
        "cross_entropy",
        scattered(3, 4),
        CLASSES,
        (1.00071755126, -0.0940250468376, 0.378506140846),
        label_smoothing=0.1,
    ),
    "cross entropy, shares": make(
        "cross_entropy", scattered(3, 4), SHARES, (2.01784393441, 0.144308286496, 0.426516596073), label_smoothing=0.2
    ),
    "cross entropy, dense": make(
        "cross_entropy",
        scattered(2, 4, 2, 3),
        MAP,
        (2.99307426266, -0.0565722729262, 0.284827732389),
        label_smoothing=0.1,
    ),
    "cross entropy, one class": make("cross_entropy", scattered(3, 1), np.zeros(3, int), (0, 0, 0)),
    "mse": make("mse", scattered(3, 4), LIKELY, (2.89238245702, 0.322108843619, 0.981899936691)),
    "mse, classes": make("mse", scattered(3, 4), CLASSES, (2.22396798603, 0.155442176952, 0.861000965163)),
    "mse, one output": make(
        "mse", scattered(3, 1), np.array([1.5, 0, -2]), (1.80048446319, 0.288435374475, 1.54940180422)
    ),
    "mse, image": make(
        "mse", scattered(2, 2, 3, 2), scattered(2, 2, 3, 2)[::-1], (9.66344564632, 0.381605214865, 1.26908402968)
    ),
    "bce": make("bce_with_logits", scattered(3, 4), LIKELY, (0.946858104007, 0.0727952319162, 0.12685382675)),
    "bce, classes": make(
        "bce_with_logits", scattered(3, 4), CLASSES, (0.737709662124, -0.0105381014172, 0.149958279095)
    ),
    "bce, one output": make("bce_with_logits", scattered(3, 1), ONES, (1.01600817914, 0.291180927665, 0.345194667582)),
    "bce, labels": make(
        "bce_with_logits",
        scattered(3, 2),
        np.array([[0, 1], [1, 1], [0, 0]]),
        (1.14806806586, 0.145590463832, 0.251642028063),
    ),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_every_loss_has_a_case() -> None:
    assert {case.loss.type for case in CASES.values()} == set(LOSSES)
    assert all(kind.type == name for name, kind in LOSSES.items())


@pytest.mark.parametrize("name", LOSSES)
def test_every_option_is_described(name: str) -> None:
    assert LOSSES[name].__doc__
    assert all(field.description for field in LOSSES[name].model_fields.values())


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_the_stored_ones_of_pytorch(case: Case, dtype: type) -> None:
    y = last(case.y).astype(dtype)
    losses, cache = case.forward(y)
    gradient = case.loss.backward(cache)
    assert losses.dtype == gradient.dtype == dtype
    assert losses.shape == (len(case.y),)
    assert gradient.shape == y.shape
    gradient /= len(case.y)
    mine = (losses.mean(), gradient.reshape(-1)[0], np.linalg.norm(gradient))
    np.testing.assert_allclose(mine, case.value, rtol=1e-10 if dtype is np.float64 else 2e-6, atol=1e-12)


@EVERY
def test_values_are_pytorchs(case: Case) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: stored reference values serve")
    F = torch.nn.functional  # noqa: N806, as everybody calls it
    y = torch.tensor(case.y, requires_grad=True)
    if case.loss.type == "cross_entropy":
        value = F.cross_entropy(
            y, torch.tensor(case.targets), label_smoothing=case.loss.model_dump()["label_smoothing"]
        )
    else:
        function = {"mse": F.mse_loss, "bce_with_logits": F.binary_cross_entropy_with_logits}[case.loss.type]
        value = function(y, torch.tensor(numbers_of(case)))
    value.backward()
    assert case.forward(last(case.y))[0].mean() == pytest.approx(value.item(), rel=1e-12)
    np.testing.assert_allclose(case.gradient(), y.grad.numpy(), atol=1e-13)


@EVERY
@pytest.mark.parametrize("scale", [1, 300])
def test_what_is_worked_out_by_hand_is_the_loss_and_its_gradient(case: Case, scale: int) -> None:
    y, targets = last(scale * case.y), case.loss.encode(case.targets, case.shape)
    losses, cache = case.loss.forward(y, targets)
    gradient = case.loss.backward(cache)
    for sample, loss in enumerate(losses):
        account = case.loss.by_hand(y[..., sample], targets[..., sample])
        assert {array.shape for array in (*account.columns.values(), account.terms, account.slopes)} == {case.shape}
        assert account.terms.sum() / account.divisor == pytest.approx(loss, rel=1e-12, abs=1e-13 * scale)
        np.testing.assert_allclose(account.slopes / account.divisor, gradient[..., sample], rtol=1e-12, atol=1e-15)


def numbers_of(case: Case) -> Array:
    """Targets as PyTorch wants them: class numbers as ones and zeros."""
    if case.targets.ndim == 1 and case.shape[0] > 1:
        return np.eye(case.shape[0])[case.targets]
    return case.targets.astype(np.float64).reshape(case.y.shape)


@EVERY
def test_gradients_are_the_complex_steps(case: Case) -> None:
    y, step = last(case.y), 1e-30
    gradient = case.loss.backward(case.forward(y)[1])
    for index in np.ndindex(y.shape):
        moved = y.astype(np.complex128)
        moved[index] += 1j * step
        losses, _ = case.forward(moved)
        assert losses.imag[index[-1]] / step == pytest.approx(gradient[index], rel=1e-11, abs=1e-14)
        assert np.count_nonzero(losses.imag) <= 1, "samples are independent"


@EVERY
def test_one_sample_at_a_time_gives_the_same(case: Case) -> None:
    y, target = last(case.y), case.loss.encode(case.targets, case.shape)
    whole, cache = case.loss.forward(y, target)
    for k in range(len(case.y)):
        losses, part = case.loss.forward(y[..., k : k + 1], target[..., k : k + 1])
        np.testing.assert_allclose(losses, whole[k : k + 1], rtol=1e-14)
        np.testing.assert_allclose(case.loss.backward(part), case.loss.backward(cache)[..., k : k + 1], rtol=1e-14)


@EVERY
def test_the_arguments_are_left_alone_and_the_gradient_is_the_callers(case: Case) -> None:
    y, target = last(case.y), case.loss.encode(case.targets, case.shape)
    y.flags.writeable = target.flags.writeable = False
    _, cache = case.loss.forward(y, target)
    first = case.loss.backward(cache)
    expected = first.copy()
    first /= 7
    np.testing.assert_array_equal(case.loss.backward(cache), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["cross_entropy", "bce_with_logits"])
def test_huge_logits_neither_overflow_nor_warn(kind: str, dtype: type) -> None:
    loss = LOSSES[kind]()
    y = np.array([[1e4, -1e4], [-1e4, 1e4], [-1e4, 0]], dtype)
    losses, cache = loss.forward(y, loss.encode(np.array([0, 0]), (3,)))
    assert np.isfinite(losses).all()
    assert losses[0] == pytest.approx(0)
    assert losses[1] > 5e3
    assert np.isfinite(loss.backward(cache)).all()


def test_a_tiny_loss_is_not_rounded_to_zero() -> None:
    loss = LOSSES["bce_with_logits"]()
    losses, _ = loss.forward(np.array([[40.0]]), loss.encode(np.array([1]), (1,)))
    assert losses[0] == pytest.approx(np.exp(-40.0))


BAD: list[tuple[str, Any, tuple[int, ...], str]] = [
    ("cross_entropy", [0, 1, 7, 9], (3,), "the target of sample 2 is 7; expected a class from 0 to 2"),
    ("cross_entropy", [0, 1, 7, 9], (3,), "the network has 3 outputs (2 of 4 are wrong)"),
    ("cross_entropy", [0, -1], (3,), "the target of sample 1 is -1"),
    ("cross_entropy", [[[0, 5]], [[1, 1]]], (3, 1, 2), "the target of sample 0, element [0, 1] is 5"),
    ("cross_entropy", [0, 1], (3, 2, 2), "class numbers of shape (), but for the network's output (3, 2, 2)"),
    ("cross_entropy", [0.0, 1.0], (3,), "a target is float64 numbers of shape (), but the network's output is (3,)"),
    ("cross_entropy", [[0.5, 0.5, 1.5]], (3,), "element [2] is 1.5; expected a number from 0 to 1"),
    ("mse", [[1.0, 2.0]], (3,), "numbers of shape (2,), but the network's output is (3,)"),
    ("mse", [[1.0, np.nan]], (2,), "the target of sample 0, element [1] is nan; expected a finite number"),
    ("mse", [3, 0], (3,), "the target of sample 0 is 3; expected a class from 0 to 2"),
    ("bce_with_logits", [0, 2], (1,), "the target of sample 1, element [0] is 2; expected a number from 0 to 1"),
    ("bce_with_logits", [[0.5, -0.5]], (2,), "element [1] is -0.5; expected a number from 0 to 1"),
    ("bce_with_logits", [4], (3,), "the target of sample 0 is 4; expected a class from 0 to 2"),
]


@pytest.mark.parametrize(("kind", "targets", "shape", "text"), BAD)
def test_targets_that_do_not_fit(kind: str, targets: Any, shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(DataError) as caught:
        LOSSES[kind]().encode(np.array(targets), shape)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("targets", "shape", "classes"),
    [
        ([2, 0], (3,), [2, 0]),
        ([[0.2, 0.5, 0.3], [0.6, 0.4, 0.0]], (3,), [1, 0]),
        ([[[2, 0]], [[1, 1]]], (3, 1, 2), [[[2, 0]], [[1, 1]]]),
        ([[[[0.1, 0.9]], [[0.9, 0.1]]]], (2, 1, 2), [[[1, 0]]]),
    ],
)
def test_class_numbers(targets: Any, shape: tuple[int, ...], classes: Any) -> None:
    """Of numbers and of shares, for each sample and for each position."""
    given = np.array(targets)
    assert are_classes(given, shape) == (given.dtype.kind == "i")
    np.testing.assert_array_equal(class_numbers(given, shape), classes)


def test_integers_that_are_as_many_as_the_outputs_are_numbers() -> None:
    assert not are_classes(np.array([[0, 1, 0]]), (3,))
    assert not are_classes(np.array([4, 5]), (1,))
