"""Layer-wise relevance propagation, layer by layer: stand-ins whose backward shares out relevance among the inputs.

What flows back is relevance R, beginning with the logit. With z_ij = x_i w_ij what input i contributes to output j,
b_j the offset and z_j = sum over i of z_ij + b_j, each rule shares R_j out in proportion to the contributions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.attribution.rules import Gradients, Rule
from cnncli.layers.base import Cache, Layer, Params
from cnncli.layers.run import Run

Array = NDArray[Any]

NOTHING = 1e-30
"""A sum of positive (or of negative) contributions that is smaller than this counts as none."""


class Ledger:
    """Where the relevance of some samples went: a tap, which sees what arrives at each value, and which the rules tell
    what they keep. Entries are (samples,), in double precision, by name."""

    def __init__(self, samples: int) -> None:
        self.samples = samples
        self.arrived: dict[str, Array] = {}
        self.offsets: dict[str, Array] = {}
        self.stabiliser: dict[str, Array] = {}
        self._now = slice(0)  # the samples that are on their way back

    def __call__(self, name: str, what: str, array: Array, samples: slice) -> None:
        if what == "gradient":
            self._now = samples
            self._enter(self.arrived, name, array)

    def keep(self, name: str, offsets: Array, stabiliser: Array | None = None) -> None:
        """What the offset of a layer, and the stabiliser of its rule, take of these samples' relevance, (*shape, n)."""
        self._enter(self.offsets, name, offsets)
        if stabiliser is not None:
            self._enter(self.stabiliser, name, stabiliser)

    @property
    def books(self) -> tuple[dict[str, Array], ...]:
        """arrived, offsets, stabiliser."""
        return self.arrived, self.offsets, self.stabiliser

    def total(self, book: Mapping[str, Array]) -> Array:
        """Of all layers, (samples,)."""
        return sum(book.values(), start=np.zeros(self.samples))

    def _enter(self, book: dict[str, Array], name: str, amounts: Array) -> None:
        entries = book.setdefault(name, np.zeros(self.samples))
        entries[self._now] = amounts.reshape(-1, amounts.shape[-1]).sum(axis=0, dtype=np.float64)


class PassOn(Rule):
    """R_in = R_out: what an activation function is given takes the relevance of what it makes of it."""

    aliases_dy = True

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> Gradients:
        return (dy,), {}


class LinearRule(Rule):
    """Shares out the relevance of a layer that is linear up to an offset; `name` is the node's."""

    aliases_dy = False

    def __init__(self, layer: Layer, name: str, offset: Array, ledger: Ledger) -> None:
        super().__init__(layer)
        self.name = name
        self.offset = offset  # (*shape, 1), what the layer gives for zeros
        self.ledger = ledger


class EpsilonRule(LinearRule):
    """R_i = sum over j of z_ij / (z_j + epsilon * sign(z_j)) * R_j (Bach et al. 2015, equation 58).

    That is x_i times the layer's own backward of R / (z + epsilon * sign(z)); sign(0) is 1.
    """

    keeps_output = True

    def __init__(self, layer: Layer, name: str, offset: Array, ledger: Ledger, epsilon: float) -> None:
        super().__init__(layer, name, offset, ledger)
        self.epsilon = epsilon

    def forward(self, params: Params, xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        z, own = self.layer.forward(params, xs, unowned(run, xs))
        return z, (own, xs, z)

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> Gradients:
        own, xs, z = cache
        push = np.where(z < 0, -self.epsilon, self.epsilon).astype(z.dtype)
        share = _divided(dy, z + push)
        self.ledger.keep(self.name, share * self.offset, share * push)
        dxs, _ = self.layer.backward(params, own, share, replace(run, owns_dy=False))
        return _times(xs, dxs), {}


class AlphaBetaRule(LinearRule):
    """R_i = sum over j of (alpha * z_ij+ / z_j+ - beta * z_ij- / z_j-) * R_j, alpha - beta = 1 (Bach et al. 2015,
    equation 60); z+ and z- are the positive and the negative contributions, the offset's among them.

    Where an output has contributions of one sign alone they share all of its relevance, so that none is lost.
    """

    def __init__(self, layer: Layer, name: str, offset: Array, ledger: Ledger, alpha: float) -> None:
        super().__init__(layer, name, offset, ledger)
        self.alpha = alpha

    def forward(self, params: Params, xs: tuple[Array, ...], run: Run) -> tuple[Array, Cache]:
        z, _ = self.layer.forward(params, xs, replace(unowned(run, xs), keep=False))
        return z, xs

    def backward(self, params: Params, cache: Cache, dy: Array, run: Run) -> Gradients:
        parts = list(_parts(self.layer, params, cache, run))
        offset_plus, offset_minus = np.maximum(self.offset, 0), np.minimum(self.offset, 0)
        plus = sum((part.z for part in parts if part.positive), start=offset_plus)
        minus = sum((part.z for part in parts if not part.positive), start=offset_minus)
        no_plus, no_minus = plus < NOTHING, minus > -NOTHING
        share_plus = _divided(np.where(no_minus, dy, self.alpha * dy), np.where(no_plus, 0, plus))
        share_minus = _divided(np.where(no_plus, dy, (1 - self.alpha) * dy), np.where(no_minus, 0, minus))
        self.ledger.keep(self.name, share_plus * offset_plus + share_minus * offset_minus)
        dxs = [part.back(share_plus if part.positive else share_minus) for part in parts]
        return tuple(_sum(each) for each in zip(*dxs, strict=True)), {}


@dataclass(frozen=True, eq=False)
class _Part:
    """The contributions of the inputs of one sign by the weights of one sign."""

    positive: bool
    z: Array  # (*shape, n), their sums
    back: Callable[[Array], tuple[Array | None, ...]]
    """Each input times what the layer's own backward makes of a factor for every output."""


def _parts(layer: Layer, params: Params, xs: tuple[Array, ...], run: Run) -> Iterator[_Part]:
    """Up to four, which together are what the layer gives without its offset."""
    for x_sign in (np.maximum, np.minimum):
        signed = tuple(x_sign(x, 0) for x in xs)
        if x_sign is np.minimum and not any(x.any() for x in signed):
            continue  # as behind a ReLU
        for w_sign in (np.maximum, np.minimum):
            weights = without_offset(params)
            if "weight" in params:
                weights["weight"] = w_sign(params["weight"], 0)
            elif w_sign is np.minimum:
                continue  # a layer without weights, as the mean of a window, has factors that are not negative
            yield _part(layer, weights, signed, x_sign is w_sign, run)


def _part(layer: Layer, weights: Params, xs: tuple[Array, ...], positive: bool, run: Run) -> _Part:
    z, own = layer.forward(weights, xs, unowned(run, xs))

    def back(factors: Array) -> tuple[Array | None, ...]:
        dxs, _ = layer.backward(weights, own, factors, replace(run, owns_dy=False))
        return _times(xs, dxs)

    return _Part(positive, z, back)


def without_offset(params: Params) -> Params:
    """The tensors of a linear layer, so changed that it gives 0 for zeros: no bias, no mean."""
    return {key: np.zeros_like(value) if key in ("bias", "running_mean") else value for key, value in params.items()}


def unowned(run: Run, xs: tuple[Array, ...]) -> Run:
    """The same, but the layer may not write over its inputs, which its rule needs on the way back."""
    return replace(run, owned=(False,) * len(xs))


def _divided(numerator: Array, denominator: Array) -> Array:
    """0 where the denominator is."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


def _sum(dxs: Sequence[Array | None]) -> Array | None:
    """None where they are not wanted."""
    given = [dx for dx in dxs if dx is not None]
    return sum(given[1:], start=given[0]) if given else None


def _times(xs: tuple[Array, ...], dxs: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
    return tuple(None if dx is None else dx * x for x, dx in zip(xs, dxs, strict=True))
