"""Class activation maps: where a layer finds the class, by its channels' gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, record_backward
from cnncli.errors import UsageError
from cnncli.graph import Graph
from cnncli.inspection.attribution.fullgrad import FullGradient
from cnncli.inspection.attribution.method import Attribution, Check, Target
from cnncli.inspection.names import only_nodes, with_positions
from cnncli.inspection.options import among
from cnncli.wording import one_of

Array = NDArray[Any]

CamName = Literal["grad-cam", "grad-cam++", "hirescam"]


@dataclass(frozen=True)
class GradCam:
    """A weighted sum over the channels A_k of a layer, and what of it is positive; g_k is the target's gradient there.

    grad-cam     max(sum_k mean(g_k) A_k, 0)                                          (Selvaraju et al. 2017)
    grad-cam++   max(sum_k w_k A_k, 0), w_k = sum over positions of a_k max(g_k, 0),
                 a_k = 1 / (2 + g_k * sum(A_k)) where g_k is not 0                    (Chattopadhay et al. 2018)
    hirescam     max(sum_k g_k A_k, 0)                                                (Draelos and Carin 2020)

    grad-cam++ takes exp(f) for the score, as its authors do, whose common factor exp(f) is left out.

    `layer` is by default the last value of the network that has positions: there the channels say most about the
    class, and it is still known where. With `positive` false what is negative is kept.
    """

    name: ClassVar[str] = "grad-cam"
    method: CamName = "grad-cam"
    layer: str | None = None
    positive: bool = True

    def __post_init__(self) -> None:
        among("--method", self.method, get_args(CamName))

    def attribute(self, executor: Executor, x: Array, target: Target) -> Attribution:
        layer = chosen_layer(executor.model.graph, target.at, self.layer)
        recording = record_backward(executor, x, target.objective, names=[layer])
        maps, gradient = recording.activations[layer], recording.gradients[layer]  # (N, K, h, w)
        whole = (_weights(self.method, maps, gradient) * maps).sum(axis=1)
        return Attribution(
            np.maximum(whole, 0) if self.positive else whole,
            signed=not self.positive,
            checks=self._checks(executor, target, layer, maps, whole),
            notes=tuple(self._notes(layer, whole)),
            node=layer,
        )

    def _notes(self, layer: str, whole: Array) -> Iterator[str]:
        if self.layer is None:
            yield f"{layer} is the last layer with positions that the target depends on; --layer takes another"
        empty = [str(index + 1) for index, each in enumerate(whole) if self.positive and each.max() <= 0]
        if empty:
            which = "the map" if len(whole) == 1 else f"the map of input {', '.join(empty)}"
            yield f"{which} is 0 everywhere: no position of {layer} counts for the target on balance, only against it"

    def _checks(self, executor: Executor, target: Target, layer: str, maps: Array, whole: Array) -> tuple[Check, ...]:
        """That the map, put together again with the offsets behind the layer, is the logit."""
        rest = executor.model.graph.behind(layer, target.at)
        if rest is None or self.method == "grad-cam++":
            return ()
        with Executor(replace(executor.model, graph=rest), workers=1) as behind:
            full = FullGradient(behind, target.at)
            parts = full.parts(maps, target)
        products = maps.astype(np.float64) * parts.gradient
        offsets = parts.total - products.reshape(len(maps), -1).sum(axis=1)
        check = full.check(offsets + whole.reshape(len(whole), -1).sum(axis=1, dtype=np.float64), parts.values)
        same_everywhere = self.method == "hirescam" or _is_flat(parts.gradient)
        return (
            replace(
                check,
                name="completeness",
                formula="sum of the map before its cut at 0 + offsets' share = f(x)",
                holds=check.holds and same_everywhere,
                condition=check.condition if same_everywhere else "gradients that are the same at all positions",
            ),
        )


def chosen_layer(graph: Graph, at: str, layer: str | None) -> str:
    """The given layer, or the last value with more than one position that `at` depends on. Raises UsageError."""
    known = [name for name in with_positions(graph.up_to(at)) if name != at]
    if not known:
        raise UsageError("grad-cam needs a layer with channels and positions (C, H, W), and the network has none")
    if layer is None:
        return known[-1]
    only_nodes(graph, [layer])
    if layer not in known:
        why = f"a value of shape {graph.shape_of(layer)} has no positions"
        if layer in with_positions(graph):
            why = "the target does not depend on it"
        raise UsageError(f"--layer {layer}: {why}; take {one_of(known)}")
    return layer


def _weights(method: CamName, maps: Array, gradient: Array) -> Array:
    """What each channel, or each of its positions, counts: to be multiplied with the maps."""
    if method == "hirescam":
        return gradient
    shares = gradient / math.prod(gradient.shape[2:])
    if method == "grad-cam++":
        below = 2 + gradient * maps.sum(axis=(2, 3), keepdims=True)
        shares = np.divide(np.maximum(gradient, 0), below, out=np.zeros_like(gradient), where=below != 0)
    return np.asarray(shares.sum(axis=(2, 3), keepdims=True))


def _is_flat(gradient: Array) -> bool:
    """Whether every map of (N, K, h, w) is the same number everywhere, but for rounding."""
    spread = np.ptp(gradient, axis=(2, 3)).max(initial=0)
    return bool(spread <= 8 * np.finfo(gradient.dtype).eps * np.abs(gradient).max(initial=0))
