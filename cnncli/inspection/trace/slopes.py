"""Derivatives of one layer alone with respect to one number, from forward passes.

Im f(x + ih) / h has no rounding of its own, since nothing is subtracted (Martins, Sturdza and Alonso 2003). So the
layers' own backward passes have no part in it, and that both agree means something.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.engine.layout import to_user
from cnncli.graph import Node
from cnncli.inspection.trace.result import Place
from cnncli.inspection.trace.scene import Scene

Array = NDArray[Any]

STEP = 2.0**-100
"""About 1e-30, and a power of two: to multiply by it and to divide by it changes no digit."""


def by_input(scene: Scene, node: Node, part: slice, source: str, place: Place) -> Array:
    """d(the node's output)/d(the value `source` at `place`, the sample of the part last): (n, *shape)."""
    xs = scene.inputs(node, part, np.complex128)
    for name, x in zip(node.inputs, xs, strict=True):
        if name == source:
            x[place] += 1j * STEP
    return _slopes(scene, node, part, xs, scene.tensors(node, np.complex128))


def by_parameter(scene: Scene, node: Node, part: slice, key: str, index: Place) -> Array:
    """d(the node's output)/d(one number of a parameter): (n, *shape)."""
    tensors = scene.tensors(node, np.complex128)
    tensors[key][index] += 1j * STEP
    return _slopes(scene, node, part, scene.inputs(node, part, np.complex128), tensors)


def _slopes(scene: Scene, node: Node, part: slice, xs: tuple[Array, ...], tensors: dict[str, Array]) -> Array:
    y, _, _ = scene.compute(node, part, xs, tensors)
    return to_user(y.imag) / STEP
