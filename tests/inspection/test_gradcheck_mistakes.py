"""Mistakes that people make when they write backward: each is found, located to the tensor, and called by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnncli.graph import INPUT, Graph, Model, build
from cnncli.inspection.gradcheck import Verdict
from cnncli.inspection.gradcheck.faults import FAULTS, Fault, FaultyLayer, Scene
from cnncli.inspection.gradcheck.windows import changed
from cnncli.inspection.proxies import with_layers
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES, Loss
from tests.inspection.gradcheck_networks import chain, check, mistaken, model_of, numbers, row

Array = NDArray[Any]
Mistake = Callable[[Scene], Array]

FLAT = [("flatten", {}), ("linear", {"out_features": 3})]
NETWORKS = {
    "grouped, strided, batch norm": chain(
        (4, 9, 9),
        ("conv2d", {"out_channels": 6, "kernel_size": 3, "groups": 2, "stride": 2, "padding": 1}),
        ("batch_norm", {}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": 2}),
        *FLAT,
    ),
    "depthwise and 1x1": chain(
        (4, 8, 8),
        ("conv2d", {"out_channels": 4, "kernel_size": 3, "groups": 4, "padding": "same"}),
        ("relu", {}),
        ("conv2d", {"out_channels": 3, "kernel_size": 1, "stride": 2}),
        ("batch_norm", {}),
        ("relu", {}),
        *FLAT,
    ),
    "not square": chain(
        (2, 10, 7),
        ("conv2d", {"out_channels": 3, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}),
        *FLAT,
    ),
    "large kernel, overlapping means": chain(
        (3, 11, 11),
        ("conv2d", {"out_channels": 4, "kernel_size": 5, "stride": 2, "padding": "same"}),
        ("relu", {}),
        ("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
        *FLAT,
    ),
    "dilated": chain(
        (2, 12, 12), ("conv2d", {"out_channels": 3, "kernel_size": 3, "dilation": 2, "stride": 3}), ("relu", {}), *FLAT
    ),
    "one row high": chain(
        (2, 4, 12),
        ("conv2d", {"out_channels": 3, "kernel_size": [1, 5], "stride": [1, 2]}),
        ("relu", {}),
        ("max_pool2d", {"kernel_size": [1, 2]}),
        *FLAT,
    ),
}
CAUSES = {
    "weight gradient x 1.001": r"^1\.001 times the true gradient$",
    "weight gradient x 2": r"^twice the true gradient",
    "wrong sign of the weight gradient": r"^its sign is wrong$",
    "one entry of the weight gradient": r"^only .*\d",
    "bias gradient dropped": r"^always 0, as if it were never computed$",
    "bias gradient of one position": r"^only the first position counts: the positions are not summed$",
    "kernel flipped": r"^the kernel is flipped",
    "kernel transposed": r"^the kernel is transposed: height and width are exchanged$",
    "kernel flipped on the way back": r"^the kernel is flipped",
    "wrong stride": r"^as if the stride were 1 and not (2|3|1x2|2x1)$",
    "leaky ReLU": r"^as if the slope for x <= 0 were 0\.01$",
    "wrong winner in max pooling": r"^the gradient goes to the neighbour of the winner: one pixel too far to the right",
    "batch statistics as constants": r"^the mean and the variance are taken for constants",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("network", NETWORKS)
def test_planted_errors_are_located_and_named_wherever_they_are(network: str, fault: Fault) -> None:
    graph = NETWORKS[network]
    places = [node for node in graph.nodes if fault.fits(node, model_of(graph).parameters.get(node.name, {}))]
    for samples, node in enumerate(places, start=2):
        faulty = FaultyLayer(node.layer, fault)
        report = check(
            with_layers(model_of(graph), {node.name: faulty}),
            numbers(samples, *graph.input_shape, seed=samples),
            layers=[node.name],
        )
        assert faulty.differs
        alone = {found.tensor: found for found in report.tensors if found.level == "layer"}
        wrong = alone.pop(fault.tensor)
        assert wrong.verdict is Verdict.FAIL
        assert re.search(CAUSES[fault.name], str(wrong.hint)), (node.name, wrong.hint)
        assert {found.verdict for found in alone.values()} <= {Verdict.PASS}


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
    def mistake(scene: Scene) -> Array:
        dy = np.zeros_like(scene.dy)
        dy[places] = scene.dy[places]
        return scene.backward(dy)[1]["bias"]

    return mistake


def made_with(tensor: str, **options: Any) -> Mistake:
    """By the same layer with other options, whose output is larger."""

    def mistake(scene: Scene) -> Array:
        layer = changed(scene.layer, **options)
        y, cache = layer.forward(scene.params, scene.xs, scene.run)
        dy = np.zeros_like(y)
        dy[:, : scene.dy.shape[1], : scene.dy.shape[2]] = scene.dy
        (dx,), gradients = layer.backward(scene.params, cache, dy, scene.run)
        return gradients.get(tensor, dx)

    return mistake


def overwritten(scene: Scene) -> Array:
    """Window by window, each written over what was there."""
    (kh, kw), (sh, sw), (ph, pw) = scene.layer.window() or ()
    (channels, height, width, samples), (_, oh, ow, _) = scene.xs[0].shape, scene.dy.shape
    padded = np.zeros((channels, height + 2 * ph, width + 2 * pw, samples))
    for top in range(oh):
        for column in range(ow):
            dy = np.zeros_like(scene.dy)
            dy[:, top, column] = scene.dy[:, top, column]
            window = slice(top * sh, top * sh + kh), slice(column * sw, column * sw + kw)
            given = np.pad(scene.dx(dy), ((0, 0), (ph, ph), (pw, pw), (0, 0)))[:, *window]
            padded[:, *window] = np.where(given == 0, padded[:, *window], given)
    return padded[:, ph : ph + height, pw : pw + width]


def normal(scene: Scene) -> Array:
    x = scene.xs[0]
    axes = tuple(range(1, x.ndim))
    x = x - x.mean(axis=axes, keepdims=True)
    return x / x.std(axis=axes, keepdims=True)


def mean(array: Array) -> Array:
    return array.mean(axis=tuple(range(1, array.ndim)), keepdims=True)


def routed(scene: Scene, tap: int) -> Array:
    """Everything to one place of every 2x2 window."""
    dx = np.zeros_like(scene.xs[0])
    _, rows, columns, _ = scene.dy.shape
    dx[:, tap // 2 : 2 * rows : 2, tap % 2 : 2 * columns : 2] = scene.dy
    return dx


def slope_at(scene: Scene, x: Array) -> Array:
    _, cache = scene.layer.forward({}, (x.copy(),), scene.run)
    return scene.layer.backward({}, cache, np.ones_like(x), scene.run)[0][0]


def value(scene: Scene) -> Array:
    return scene.layer.forward({}, (scene.xs[0].copy(),), scene.run)[0]


CONV = alone("conv2d", out_channels=4, kernel_size=3, padding=1)
SQUARE = alone("conv2d", out_channels=3, kernel_size=3)
STRIDED = alone("conv2d", (3, 9, 9), out_channels=4, kernel_size=3, stride=2)
DENSE = alone("linear", (5,), out_features=5)
POOL = alone("max_pool2d", kernel_size=2)

MISTAKES: list[tuple[Graph, str, Mistake, str]] = [
    # sums and means
    (DENSE, "weight", lambda s: s.backward()[1]["weight"] / 3, "divided by the 3 samples once too often"),
    (CONV, "weight", lambda s: s.backward()[1]["weight"] / 49, "divided by the 49 positions once too often"),
    (CONV, "bias", of_samples((..., 0)), "only the first sample counts: they are not summed"),
    (CONV, "bias", of_samples((..., -1)), "only the last sample counts: they are not summed"),
    (CONV, "bias", of_samples((slice(None), 0)), "only the first row counts: the rows are not summed"),
    (CONV, "bias", of_samples((slice(None), slice(None), -1)), "only the last column counts"),
    (
        alone("avg_pool2d", kernel_size=2),
        INPUT,
        lambda s: s.dx() * 4,
        "the mean over the 4 pixels of a window is missing",
    ),
    (alone("global_avg_pool2d"), INPUT, lambda s: s.dx() * 49, "the mean over the 49 pixels of a channel is missing"),
    # convolutions and matrices
    (
        SQUARE,
        "weight",
        lambda s: s.backward()[1]["weight"].swapaxes(0, 1),
        "transposed: outputs and inputs are exchanged",
    ),
    (SQUARE, INPUT, lambda s: s.dx(weight=s.params["weight"].swapaxes(0, 1)), "the weight is transposed"),
    (CONV, INPUT, lambda s: s.dx(weight=s.params["weight"].swapaxes(2, 3)), "the kernel is transposed"),
    (CONV, INPUT, lambda s: np.roll(s.dx(), 1, axis=1), "one position too far down: is the padding right?"),
    (CONV, INPUT, overwritten, "the last one overwrites the others instead of being added"),
    (CONV, "weight", lambda s: s.backward()[1]["weight"][::-1], "the filters are in reverse order"),
    (CONV, "weight", lambda s: s.backward()[1]["weight"][:, [1, 0, 2]], "the input channels 0 and 1 are exchanged"),
    (STRIDED, "weight", made_with("weight", stride=1), "as if the stride were 1 and not 2"),
    (STRIDED, INPUT, made_with(INPUT, stride=1), "as if the stride were 1 and not 2"),
    (
        alone("conv2d", (2, 9, 9), out_channels=2, kernel_size=3, dilation=2),
        "weight",
        made_with("weight", dilation=1),
        "as if the dilation were 1 and not 2",
    ),
    (DENSE, "weight", lambda s: s.backward()[1]["weight"].T, "transposed: outputs and inputs are exchanged"),
    (DENSE, INPUT, lambda s: s.params["weight"] @ s.dy, "the weight is transposed: outputs and inputs are exchanged"),
    # activations
    (alone("relu"), INPUT, lambda s: s.dy, "dy is handed on as it is: the slope of the function is missing"),
    (alone("relu"), INPUT, lambda s: s.dy * (s.dy > 0), "taken at the upstream gradient instead of the input"),
    (alone("relu"), INPUT, lambda s: s.dx() * (s.dy > 0), "as in guided backpropagation"),
    (alone("relu"), INPUT, lambda s: s.dy * (s.xs[0] <= 0), "open where it should be shut"),
    (alone("leaky_relu"), INPUT, lambda s: s.dy * (s.xs[0] > 0), "as if the slope for x <= 0 were 0"),
    (alone("elu"), INPUT, lambda s: np.where(s.xs[0] > 0, s.dx(), 3 * s.dx()), "wrong only for x <= 0"),
    (alone("relu"), INPUT, lambda s: np.where(s.xs[0] > 0, 2, 0) * s.dy, "twice the true gradient"),
    (alone("sigmoid"), INPUT, lambda s: s.dy * slope_at(s, value(s)), "taken at the output instead of the input"),
    (
        alone("sigmoid"),
        INPUT,
        lambda s: s.dy * s.xs[0] * (1 - s.xs[0]),
        "with the input, where it should be the output",
    ),
    (alone("tanh"), INPUT, lambda s: s.dy * (1 - s.xs[0] ** 2), "with the input, where it should be the output"),
    (alone("silu"), INPUT, lambda s: s.dy * value(s), "the function's value stands where its slope should be"),
    (alone("tanh"), INPUT, lambda s: s.dx(s.dx()), "the slope is multiplied twice"),
    (alone("softmax", (5,)), INPUT, lambda s: s.dy * value(s) * (1 - value(s)), "depended on its own input alone"),
    (alone("dropout", p=0.5), INPUT, lambda s: s.dy, "dy is handed on as it is"),
    # pooling
    (POOL, INPUT, lambda s: routed(s, 0), "the first pixel of each window gets the gradient, not the winner"),
    (POOL, INPUT, lambda s: routed(s, 3), "the last pixel of each window gets the gradient, not the winner"),
    (POOL, INPUT, lambda s: sum(routed(s, i) for i in range(4)), "every pixel of the window gets the gradient"),
    (POOL, INPUT, lambda s: sum(routed(s, i) / 4 for i in range(4)), "as in average pooling"),
    (POOL, INPUT, lambda s: -slope_at_minus(s), "the smallest pixel of the window gets the gradient"),
    (alone("max_pool2d", kernel_size=3, stride=1), INPUT, overwritten, "where a pixel wins several windows"),
    (alone("avg_pool2d", kernel_size=3, stride=2, padding=1), INPUT, overwritten, "the last one overwrites the others"),
    # batch norm
    (alone("batch_norm"), INPUT, lambda s: s.dx() + scale(s) * mean(s.dy), "the term of the mean is missing"),
    (
        alone("batch_norm"),
        INPUT,
        lambda s: s.dx() + scale(s) * normal(s) * mean(s.dy * normal(s)),
        "the term of the variance is missing",
    ),
    (alone("batch_norm"), "weight", lambda s: (s.dy * s.xs[0]).sum((1, 2, 3)), "multiplied with the input"),
    (alone("batch_norm", (4,)), INPUT, lambda s: scale(s) * s.dy, "the mean and the variance are taken for constants"),
]


def scale(scene: Scene) -> Array:
    """1 / sqrt(variance + eps), the weight being 1."""
    x = scene.xs[0]
    return 1 / np.sqrt(x.var(axis=tuple(range(1, x.ndim)), keepdims=True) + 1e-5)


def slope_at_minus(scene: Scene) -> Array:
    """Of -max pooling(-x)."""
    _, cache = scene.layer.forward({}, (-scene.xs[0],), scene.run)
    return -scene.layer.backward({}, cache, scene.dy.copy(), scene.run)[0][0]


@pytest.mark.parametrize(("graph", "tensor", "mistake", "hint"), MISTAKES)
def test_mistakes_are_called_by_their_names(graph: Graph, tensor: str, mistake: Mistake, hint: str) -> None:
    report = check(mistaken(graph, "it", tensor, mistake), layers=["it"])
    found = row(report, "it", tensor)
    assert found.verdict is Verdict.FAIL
    assert hint in str(found.hint)
    others = {other.verdict for other in report.tensors if other.level == "layer" and other.tensor != tensor}
    assert others <= {Verdict.PASS}


def test_inputs_that_are_mixed_up() -> None:
    def swapped(scene: Scene) -> Array:
        return scene.backward()[0][1]

    found = row(check(mistaken(joined("concat"), "it", "input0", swapped)), "it", "input0")
    assert found.hint == "this is the gradient of input1: the inputs are mixed up"
    found = row(check(mistaken(joined("add"), "it", "input0", lambda s: 0 * s.dy)), "it", "input0")
    assert found.hint == "always 0, as if it were never computed"
    found = row(check(mistaken(joined("add"), "it", "input0", lambda s: s.dy / 3)), "it", "input0")
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


def test_a_mean_that_is_missing_in_the_engine_is_no_layers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnncli.engine.objective import LossObjective

    evaluate = LossObjective.evaluate
    monkeypatch.setattr(
        LossObjective,
        "evaluate",
        lambda self, y, samples: (evaluate(self, y, samples)[0], 3 * evaluate(self, y, samples)[1]),
    )
    report = check(chain((5,), ("linear", {"out_features": 4})))
    assert {found.verdict for found in report.tensors if found.level == "layer"} == {Verdict.PASS}
    hints = {found.hint for found in report.tensors if found.level == "network"}
    assert hints == {
        "what reaches it is wrong, though each layer alone is right: "
        "3 times the true gradient: the mean over the 3 samples is missing"
    }


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
    def mistake(scene: Scene) -> Array:
        dx = np.moveaxis(scene.dx(), -1, 0).copy()
        dx[part] *= 1.5
        return np.moveaxis(dx, 0, -1)

    found = row(check(mistaken(CONV, "it", INPUT, mistake), layers=["it"]), "it", INPUT)
    assert str(found.hint).startswith(hint)
    assert str(found.hint).endswith("there it is 1.5 times the true gradient") == (hint.count(",") < 3)


@pytest.mark.parametrize(
    ("width", "hint"), [(1, "only the border pixels"), (2, "only the pixels within 2 of the border")]
)
def test_a_border_that_is_wrong(width: int, hint: str) -> None:
    def mistake(scene: Scene) -> Array:
        dx = 2 * scene.dx()
        dx[:, width:-width, width:-width] /= 2
        return dx

    found = row(check(mistaken(CONV, "it", INPUT, mistake), layers=["it"]), "it", INPUT)
    assert found.hint == f"{hint}: there it is twice the true gradient"


def test_a_gradient_of_a_wrong_shape_is_told() -> None:
    model: Model = mistaken(CONV, "it", "bias", lambda s: s.dy.sum(-1))
    found = row(check(model, layers=["it"]), "it", "bias")
    assert found.hint == "its shape is (4, 7, 7), not (4,): it is not summed over the positions"
    model = mistaken(STRIDED, "it", "weight", lambda s: s.backward()[1]["weight"].swapaxes(0, 1))
    found = row(check(model, layers=["it"]), "it", "weight")
    assert found.hint == "its shape is (3, 4, 3, 3), not (4, 3, 3, 3): it is transposed"
