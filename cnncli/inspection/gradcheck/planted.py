"""Errors planted on purpose: a check that does not find them proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT, Graph, Model, Node
from cnncli.inspection.gradcheck.check import LOSS, Progress, gradcheck
from cnncli.inspection.gradcheck.report import GradcheckReport, Verdict, full_name
from cnncli.layers.base import Cache, Layer, Params
from cnncli.layers.run import Run
from cnncli.losses import Loss

Array = NDArray[Any]


@dataclass(frozen=True)
class Attempt:
    """What the check said of the tensor whose gradient was spoilt."""

    error: str
    node: str
    tensor: str
    caught: bool
    verdict: Verdict
    relative_error: float | None
    hint: str | None

    @property
    def name(self) -> str:
        """Of the tensor: conv1.weight."""
        return full_name(self.node, self.tensor)


@dataclass(frozen=True)
class SelfTestReport:
    """PASS if every error was found and named, and `sound`, the verdict on the same layers without errors, is PASS.

    `absent` are the errors that this network has no place for.
    """

    verdict: Verdict
    sound: Verdict
    attempts: tuple[Attempt, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class PlantedError:
    """`spoil(gradient, dy, node)` is what a faulty backward gives instead of the gradient of `tensor`; gradients of
    inputs, and dy, are batch last."""

    name: str
    tensor: str
    fits: Callable[[Node, Params], bool]
    spoil: Callable[[Array, Array, Node], Array]


def self_test(
    model: Model, x: Array, targets: Array, loss: Loss, *, seed: int = 0, progress: Progress | None = None
) -> SelfTestReport:
    """Plants each error in the first layer that it fits, and checks that layer; the arguments are gradcheck's."""
    places = [(error, _place(model, error)) for error in ERRORS]
    planted = [(error, node) for error, node in places if node is not None]

    def check(faulty: Model, faulty_loss: Loss, *nodes: str) -> GradcheckReport:
        return gradcheck(faulty, x, targets, faulty_loss, layers=nodes, seed=seed)

    def tell(name: str, done: int) -> None:
        if progress is not None:
            progress(name, done, len(planted) + 2)

    tell("no error", 0)
    sound = check(model, loss, LOSS, *(node.name for _, node in planted)).verdict
    attempts = []
    for done, (error, node) in enumerate(planted, 1):
        tell(error.name, done)
        report = check(with_error(model, node, error), loss, node.name)
        attempts.append(_attempt(error.name, report, node.name, error.tensor))
    tell(MISSING_MEAN, len(planted) + 1)
    attempts.append(_attempt(MISSING_MEAN, check(model, without_mean(loss, len(x)), LOSS), LOSS, INPUT))
    good = sound is Verdict.PASS and all(attempt.caught for attempt in attempts)
    absent = tuple(error.name for error, node in places if node is None)
    return SelfTestReport(Verdict.PASS if good else Verdict.FAIL, sound, tuple(attempts), absent)


def with_error(model: Model, node: Node, error: PlantedError) -> Model:
    """The same numbers, with a layer whose backward is wrong."""
    faulty = replace(node, layer=cast(Layer, _Faulty(node, error)))
    nodes = tuple(faulty if other.name == node.name else other for other in model.graph.nodes)
    return replace(model, graph=Graph(model.graph.input_shape, nodes))


def without_mean(loss: Loss, samples: int) -> Loss:
    """A loss whose gradient is of the sum over the samples where it should be of their mean."""
    return cast(Loss, _Summed(loss, samples))


class _Faulty:
    """Stands in for a node's layer; everything but backward is the layer's own."""

    def __init__(self, node: Node, error: PlantedError) -> None:
        self._node = node
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node.layer, name)

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> tuple[tuple[Array | None, ...], Params]:
        upstream = dy.copy()  # the layer may write over dy
        dxs, gradients = self._node.layer.backward(params, cache, dy, run)
        key, spoil = self._error.tensor, self._error.spoil
        if key in gradients:
            gradients = {**gradients, key: spoil(gradients[key], upstream, self._node)}
        elif dxs[0] is not None:
            dxs = (spoil(dxs[0], upstream, self._node), *dxs[1:])
        return dxs, gradients


class _Summed:
    """Stands in for a loss."""

    def __init__(self, loss: Loss, samples: int) -> None:
        self._loss = loss
        self._samples = samples

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loss, name)

    def backward(self, cache: Any) -> Array:
        return self._loss.backward(cache) * self._samples


def _place(model: Model, error: PlantedError) -> Node | None:
    return next((node for node in model.graph.nodes if error.fits(node, model.parameters.get(node.name, {}))), None)


def _attempt(error: str, report: GradcheckReport, node: str, tensor: str) -> Attempt:
    found = next(check for check in report.tensors if (check.node, check.tensor) == (node, tensor))
    return Attempt(error, node, tensor, found.verdict is Verdict.FAIL, found.verdict, found.relative_error, found.hint)


def _has(tensor: str) -> Callable[[Node, Params], bool]:
    return lambda node, params: tensor in params


def _is(kind: str) -> Callable[[Node, Params], bool]:
    return lambda node, params: node.layer.type == kind


def _has_kernel(node: Node, params: Params) -> bool:
    return "weight" in params and params["weight"].ndim == 4 and max(params["weight"].shape[2:]) > 1


def _has_square_kernel(node: Node, params: Params) -> bool:
    return _has_kernel(node, params) and params["weight"].shape[2] == params["weight"].shape[3]


def _strides(node: Node, params: Params) -> bool:
    window = node.layer.window()
    return len(node.shape) == 3 and window is not None and window[1] != (1, 1)


def _one_entry(gradient: Array, dy: Array, node: Node) -> Array:
    spoilt = gradient.copy()
    spoilt.flat[spoilt.size // 2] += 0.01 * np.abs(gradient).max()
    return spoilt


def _leak(gradient: Array, dy: Array, node: Node) -> Array:
    return np.where(gradient == 0, 0.01 * dy, gradient)


def _next_winner(gradient: Array, dy: Array, node: Node) -> Array:
    """Everything one pixel to the side."""
    return np.roll(gradient, 1, axis=2 if gradient.shape[2] > 1 else 1)


def _unstrided(gradient: Array, dy: Array, node: Node) -> Array:
    """Windows that are put back side by side, as if the stride were 1."""
    window = node.layer.window()
    rows, columns = window[1] if window else (1, 1)
    kept = gradient[:, ::rows, ::columns]
    spoilt = np.zeros_like(gradient)
    spoilt[:, : kept.shape[1], : kept.shape[2]] = kept
    return spoilt


MISSING_MEAN = "mean over the samples missing"

ERRORS = (
    PlantedError("weight gradient x 1.001", "weight", _has("weight"), lambda g, dy, node: g * 1.001),
    PlantedError("weight gradient x 2", "weight", _has("weight"), lambda g, dy, node: g * 2),
    PlantedError("weight gradient with the wrong sign", "weight", _has("weight"), lambda g, dy, node: -g),
    PlantedError("one entry of the weight gradient", "weight", _has("weight"), _one_entry),
    PlantedError("bias gradient dropped", "bias", _has("bias"), lambda g, dy, node: np.zeros_like(g)),
    PlantedError("kernel flipped", "weight", _has_kernel, lambda g, dy, node: g[..., ::-1, ::-1]),
    PlantedError("kernel transposed", "weight", _has_square_kernel, lambda g, dy, node: g.swapaxes(-1, -2)),
    PlantedError("leaky ReLU", INPUT, _is("relu"), _leak),
    PlantedError("wrong winner in max pooling", INPUT, _is("max_pool2d"), _next_winner),
    PlantedError("wrong stride", INPUT, _strides, _unstrided),
)
"""Every one that `self_test` plants; MISSING_MEAN goes into the loss."""
