"""The floor of a layer's time: its matrix products alone, without what prepares them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np

from cnncli.graph import Model, Node
from cnncli.inspection.bench.speed import timings

SECONDS = 0.1
"""For each product, where nobody says how many steps."""


@dataclass(frozen=True)
class Product:
    """(groups, rows, inner) @ (groups, inner, columns)."""

    groups: int
    rows: int
    inner: int
    columns: int

    @property
    def flops(self) -> int:
        """Two for each multiply-accumulate."""
        return 2 * self.groups * self.rows * self.inner * self.columns

    def seconds(self, dtype: np.dtype, steps: int | None) -> float:
        """The median time of a plain `np.matmul` on contiguous arrays."""
        a = np.ones((self.groups, self.rows, self.inner), dtype)
        b = np.ones((self.groups, self.inner, self.columns), dtype)
        out = np.empty((self.groups, self.rows, self.columns), dtype)
        return median(timings(lambda: np.matmul(a, b, out=out), steps, seconds=SECONDS))


def products(model: Model, node: Node, samples: int, *, dx: bool) -> list[Product]:
    """y = W @ cols, dW = dy @ cols^T and, where it is wanted, dcols = W^T @ dy; none for a layer that multiplies no
    matrices.

    With K = numbers in a window and P = windows, of which a linear layer has one a sample: W is (O, K), cols (K, P) and
    dy (O, P), in groups of channels that do not mix.
    """
    weight = model.parameters.get(node.name, {}).get("weight")
    macs = node.layer.macs(node.input_shapes, node.shape)
    if weight is None or not macs:
        return []
    groups = node.input_shapes[0][0] // weight.shape[1]
    outputs, inner = len(weight) // groups, weight.size // len(weight)
    windows = macs // weight.size * samples
    forward, dw = Product(groups, outputs, inner, windows), Product(groups, outputs, windows, inner)
    return [forward, dw, *([Product(groups, inner, outputs, windows)] if dx else [])]
