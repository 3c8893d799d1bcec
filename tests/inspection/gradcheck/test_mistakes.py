"""Mistakes that people make when they write backward: each is found, located to the tensor, and called by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.gradcheck import Verdict
from cnncli.inspection.gradcheck.faults import BackwardCall
from cnncli.inspection.gradcheck.windows import changed
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES, Loss
from tests.inspection.gradcheck.networks import chain, check, mistaken, row

Array = NDArray[Any]
Mistake = Callable[[BackwardCall], Array]

IMAGE = (3, 7, 7)


def alone(kind: str, shape: tuple[int, ...] = IMAGE, **options: Any) -> Graph:
    """A network of a single layer that has parameters before it, so that all gradients are wanted."""
    stem = LAYERS["linear" if len(shape) == 1 else "conv2d"]
    own = {"out_features": shape[0]} if len(shape) == 1 else {"out_channels": shape[0], "kernel_size": 1}
    return build(shape, [("stem", stem(**own), (INPUT,)), ("it", LAYERS[kind](**options), ("stem",))])


def joined(kind: str) -> Graph:
    """Three values of one shape."""
    stems = [(name, LAYERS["tanh"](), (INPUT,)) for name in "abc"]
    return build(IMAGE, [*stems, ("it", LAYERS[kind](), ("a", "b", "c"))])


def of_samples(places: Any) -> Mistake:
    def mistake(call: BackwardCall) -> Array:
        dy = np.zeros_like(call.dy)
        dy[places] = call.dy[places]
        return call.backward(dy)[1]["bias"]

    return mistake


def made_with(tensor: str, **options: Any) -> Mistake:
    """By the same layer with other options, whose output is larger."""

    def mistake(call: BackwardCall) -> Array:
        layer = changed(call.layer, **options)
        y, cache = layer.forward(call.params, call.xs, call.run)
        dy = np.zeros_like(y)
        dy[:, : call.dy.shape[1], : call.dy.shape[2]] = call.dy
        (dx,), gradients = layer.backward(call.params, cache, dy, call.run)
        return gradients.get(tensor, dx)

    return mistake


def overwritten(call: BackwardCall) -> Array:
    """Window by window, each written over what was there."""
    ((kh, kw), (sh, sw)), (ph, pw) = call.layer.window() or (), call.layer.padding  # type: ignore[attr-defined]
    (channels, height, width, samples), (_, oh, ow, _) = call.xs[0].shape, call.dy.shape
    padded = np.zeros((channels, height + 2 * ph, width + 2 * pw, samples))
    for top in range(oh):
        for column in range(ow):
            dy = np.zeros_like(call.dy)
            dy[:, top, column] = call.dy[:, top, column]
            window = slice(top * sh, top * sh + kh), slice(column * sw, column * sw + kw)
            given = np.pad(call.dx(dy), ((0, 0), (ph, ph), (pw, pw), (0, 0)))[:, *window]
            padded[:, *window] = np.where(given == 0, padded[:, *window], given)
    return padded[:, ph : ph + height, pw : pw + width]


def normal(call: BackwardCall) -> Array:
    x = call.xs[0]
    axes = tuple(range(1, x.ndim))
    x = x - x.mean(axis=axes, keepdims=True)
    return x / x.std(axis=axes, keepdims=True)


def mean(array: Array) -> Array:
    return array.mean(axis=tuple(range(1, array.ndim)), keepdims=True)


def routed(call: BackwardCall, tap: int) -> Array:
    """Everything to one place of every 2x2 window."""
    dx = np.zeros_like(call.xs[0])
    _, rows, columns, _ = call.dy.shape
    dx[:, tap // 2 : 2 * rows : 2, tap % 2 : 2 * columns : 2] = call.dy
    return dx


def slope_at(call: BackwardCall, x: Array) -> Array:
    _, cache = call.layer.forward({}, (x.copy(),), call.run)
    return call.layer.backward({}, cache, np.ones_like(x), call.run)[0][0]


def value(call: BackwardCall) -> Array:
    return call.layer.forward({}, (call.xs[0].copy(),), call.run)[0]


CONV = alone("conv2d", out_channels=4, kernel_size=3, padding=1)
SQUARE = alone("conv2d", out_channels=3, kernel_size=3)
STRIDED = alone("conv2d", (3, 9, 9), out_channels=4, kernel_size=3, stride=2)
DENSE = alone("linear", (5,), out_features=5)
POOL = alone("max_pool2d", kernel_size=2)

MISTAKES: list[tuple[Graph, str, Mistake, str]] = [
    # sums and means
    (DENSE, "weight", lambda c: c.backward()[1]["weight"] / 3, "divided by the 3 samples once too often"),
    (CONV, "weight", lambda c: c.backward()[1]["weight"] / 49, "divided by the 49 positions once too often"),
    (CONV, "bias", of_samples((..., 0)), "only the first sample counts: they are not summed"),
    (CONV, "bias", of_samples((..., -1)), "only the last sample counts: they are not summed"),
    (CONV, "bias", of_samples((slice(None), 0)), "only the first row counts: the rows are not summed"),
    (CONV, "bias", of_samples((slice(None), slice(None), -1)), "only the last column counts"),
    (
        alone("avg_pool2d", kernel_size=2),
        INPUT,
        lambda c: c.dx() * 4,
        "the mean over the 4 pixels of a window is missing",
    ),
    (alone("global_avg_pool2d"), INPUT, lambda c: c.dx() * 49, "the mean over the 49 pixels of a channel is missing"),
    # convolutions and matrices
    (
        SQUARE,
        "weight",
        lambda c: c.backward()[1]["weight"].swapaxes(0, 1),
        "transposed: outputs and inputs are exchanged",
    ),
    (SQUARE, INPUT, lambda c: c.dx(weight=c.params["weight"].swapaxes(0, 1)), "the weight is transposed"),
    (CONV, INPUT, lambda c: c.dx(weight=c.params["weight"].swapaxes(2, 3)), "the kernel is transposed"),
    (CONV, INPUT, lambda c: np.roll(c.dx(), 1, axis=1), "one position too far down: is the padding right?"),
    (CONV, INPUT, overwritten, "the last one overwrites the others instead of being added"),
    (CONV, "weight", lambda c: c.backward()[1]["weight"][::-1], "the filters are in reverse order"),
    (CONV, "weight", lambda c: c.backward()[1]["weight"][:, [1, 0, 2]], "the input channels 0 and 1 are exchanged"),
    (STRIDED, "weight", made_with("weight", stride=1), "as if the stride were 1 and not 2"),
    (STRIDED, INPUT, made_with(INPUT, stride=1), "as if the stride were 1 and not 2"),
    (
        alone("conv2d", (2, 9, 9), out_channels=2, kernel_size=3, dilation=2),
        "weight",
        made_with("weight", dilation=1),
        "as if the dilation were 1 and not 2",
    ),
    (DENSE, "weight", lambda c: c.backward()[1]["weight"].T, "transposed: outputs and inputs are exchanged"),
    (DENSE, INPUT, lambda c: c.params["weight"] @ c.dy, "the weight is transposed: outputs and inputs are exchanged"),
    # activations
    (alone("relu"), INPUT, lambda c: c.dy, "dy is handed on as it is: the slope of the function is missing"),
    (alone("relu"), INPUT, lambda c: c.dy * (c.dy > 0), "taken at the upstream gradient instead of the input"),
    (alone("relu"), INPUT, lambda c: c.dx() * (c.dy > 0), "as in guided backpropagation"),
    (alone("relu"), INPUT, lambda c: c.dy * (c.xs[0] <= 0), "open where it should be shut"),
    (alone("leaky_relu"), INPUT, lambda c: c.dy * (c.xs[0] > 0), "as if the slope for x <= 0 were 0"),
    (alone("elu"), INPUT, lambda c: np.where(c.xs[0] > 0, c.dx(), 3 * c.dx()), "wrong only for x <= 0"),
    (alone("relu"), INPUT, lambda c: np.where(c.xs[0] > 0, 2, 0) * c.dy, "twice the true gradient"),
    (alone("sigmoid"), INPUT, lambda c: c.dy * slope_at(c, value(c)), "taken at the output instead of the input"),
    (
        alone("sigmoid"),
        INPUT,
        lambda c: c.dy * c.xs[0] * (1 - c.xs[0]),
        "with the input, where it should be the output",
    ),
    (alone("tanh"), INPUT, lambda c: c.dy * (1 - c.xs[0] ** 2), "with the input, where it should be the output"),
    (alone("silu"), INPUT, lambda c: c.dy * value(c), "the function's value stands where its slope should be"),
    (alone("tanh"), INPUT, lambda c: c.dx(c.dx()), "the slope is multiplied twice"),
    (alone("softmax", (5,)), INPUT, lambda c: c.dy * value(c) * (1 - value(c)), "depended on its own input alone"),
    (alone("dropout", p=0.5), INPUT, lambda c: c.dy, "dy is handed on as it is"),
    # pooling
    (POOL, INPUT, lambda c: routed(c, 0), "the first pixel of each window gets the gradient, not the winner"),
    (POOL, INPUT, lambda c: routed(c, 3), "the last pixel of each window gets the gradient, not the winner"),
    (POOL, INPUT, lambda c: sum(routed(c, i) for i in range(4)), "every pixel of the window gets the gradient"),
    (POOL, INPUT, lambda c: sum(routed(c, i) / 4 for i in range(4)), "as in average pooling"),
    (POOL, INPUT, lambda c: -slope_at_minus(c), "the smallest pixel of the window gets the gradient"),
    (alone("max_pool2d", kernel_size=3, stride=1), INPUT, overwritten, "where a pixel wins several windows"),
    (alone("avg_pool2d", kernel_size=3, stride=2, padding=1), INPUT, overwritten, "the last one overwrites the others"),
    # batch norm
    (alone("batch_norm"), INPUT, lambda c: c.dx() + scale(c) * mean(c.dy), "the term of the mean is missing"),
    (
        alone("batch_norm"),
        INPUT,
        lambda c: c.dx() + scale(c) * normal(c) * mean(c.dy * normal(c)),
        "the term of the variance is missing",
    ),
    (alone("batch_norm"), "weight", lambda c: (c.dy * c.xs[0]).sum((1, 2, 3)), "multiplied with the input"),
    (alone("batch_norm", (4,)), INPUT, lambda c: scale(c) * c.dy, "the mean and the variance are taken for constants"),
]


def scale(call: BackwardCall) -> Array:
    """1 / sqrt(variance + eps), the weight being 1."""
    x = call.xs[0]
    return 1 / np.sqrt(x.var(axis=tuple(range(1, x.ndim)), keepdims=True) + 1e-5)


def slope_at_minus(call: BackwardCall) -> Array:
    """Of -max pooling(-x)."""
    _, cache = call.layer.forward({}, (-call.xs[0],), call.run)
    return -call.layer.backward({}, cache, call.dy.copy(), call.run)[0][0]


@pytest.mark.parametrize(("graph", "tensor", "mistake", "hint"), MISTAKES)
def test_mistakes_are_called_by_their_names(graph: Graph, tensor: str, mistake: Mistake, hint: str) -> None:
    report = check(mistaken(graph, "it", tensor, mistake), layers=["it"])
    found = row(report, "it", tensor)
    assert found.verdict is Verdict.FAIL
    assert hint in str(found.hint)
    others = {other.verdict for other in report.tensors if other.level == "layer" and other.tensor != tensor}
    assert others <= {Verdict.PASS}


def test_inputs_that_are_mixed_up() -> None:
    def swapped(call: BackwardCall) -> Array:
        return call.backward()[0][1]

    found = row(check(mistaken(joined("concat"), "it", "input0", swapped)), "it", "input0")
    assert found.hint == "this is the gradient of input1: the inputs are mixed up"
    found = row(check(mistaken(joined("add"), "it", "input0", lambda c: 0 * c.dy)), "it", "input0")
    assert found.hint == "always 0, as if it were never computed"
    found = row(check(mistaken(joined("add"), "it", "input0", lambda c: c.dy / 3)), "it", "input0")
    assert found.hint == "0.333333 times the true gradient: divided by the 3 samples or the 3 inputs once too often"


class OtherLoss:
    """A loss whose gradient is another one; `wrong` is given y, the encoded target and the right gradient."""

    def __init__(self, loss: Loss, wrong: Callable[[Array, Array, Array], Array]) -> None:
        self._loss = loss
        self._wrong = wrong

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loss, name)

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        losses, cache = self._loss.forward(y, target)
        return losses, (y, target, cache)

    def backward(self, cache: Any) -> Array:
        y, target, own = cache
        return self._wrong(y, target, self._loss.backward(own))


@pytest.mark.parametrize(
    ("kind", "wrong", "hint"),
    [
        ("cross_entropy", lambda y, t, g: -g, "its sign is wrong"),
        ("cross_entropy", lambda y, t, g: y - t, "the softmax is missing: it is the output minus the target"),
        ("cross_entropy", lambda y, t, g: g + t, "off by 1 times the target: is the target subtracted, and once?"),
        ("cross_entropy", lambda y, t, g: g / 4, "divided by the 4 outputs once too often"),
        ("mse", lambda y, t, g: g + t / 2, "off by 0.5 times the target"),
        ("mse", lambda y, t, g: g / 2, "half the true gradient"),
        ("mse", lambda y, t, g: g * 4, "the mean over the 4 outputs is missing"),
        ("bce_with_logits", lambda y, t, g: y - t, "the sigmoid is missing"),
    ],
)
def test_mistakes_in_losses(kind: str, wrong: Callable[..., Array], hint: str) -> None:
    graph = chain((5,), ("linear", {"out_features": 4}))
    loss: Any = OtherLoss(LOSSES[kind](), wrong)
    found = row(check(graph, loss=loss), "loss", INPUT)
    assert found.verdict is Verdict.FAIL
    assert hint in str(found.hint)


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        ((..., 0, slice(None)), "only the pixels in row 0"),
        ((slice(None), [1, 2]), "only channels 1 and 2"),
        ((2, 0, slice(None), 4), "only sample 2, channel 0, the pixels in column 4"),
        ((1, 2, 3, 4), "only sample 1, channel 2, the pixel [3, 4]"),
    ],
)
def test_where_a_picture_is_wrong(part: Any, hint: str) -> None:
    def mistake(call: BackwardCall) -> Array:
        dx = np.moveaxis(call.dx(), -1, 0).copy()
        dx[part] *= 1.5
        return np.moveaxis(dx, 0, -1)

    found = row(check(mistaken(CONV, "it", INPUT, mistake), layers=["it"]), "it", INPUT)
    assert str(found.hint).startswith(hint)
    assert str(found.hint).endswith("there it is 1.5 times the true gradient") == (hint.count(",") < 3)


@pytest.mark.parametrize(
    ("width", "hint"), [(1, "only the border pixels"), (2, "only the pixels within 2 of the border")]
)
def test_a_border_that_is_wrong(width: int, hint: str) -> None:
    def mistake(call: BackwardCall) -> Array:
        dx = 2 * call.dx()
        dx[:, width:-width, width:-width] /= 2
        return dx

    found = row(check(mistaken(CONV, "it", INPUT, mistake), layers=["it"]), "it", INPUT)
    assert found.hint == f"{hint}: there it is twice the true gradient"


def test_a_gradient_of_a_wrong_shape_is_told() -> None:
    model: Model = mistaken(CONV, "it", "bias", lambda c: c.dy.sum(-1))
    found = row(check(model, layers=["it"]), "it", "bias")
    assert found.hint == "its shape is (4, 7, 7), not (4,): it is not summed over the positions"
    model = mistaken(STRIDED, "it", "weight", lambda c: c.backward()[1]["weight"].swapaxes(0, 1))
    found = row(check(model, layers=["it"]), "it", "weight")
    assert found.hint == "its shape is (3, 4, 3, 3), not (4, 3, 3, 3): it is transposed"
