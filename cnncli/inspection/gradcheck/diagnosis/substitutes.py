"""Right gradients of another function: of other weights, other windows, a part of the sum, another input.

Whether it is another function's gradient shows without knowing it: by slopes along a few directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.graph import INPUT
from cnncli.inspection.gradcheck.diagnosis.fit import batch_last, computes, equal
from cnncli.inspection.gradcheck.diagnosis.words import pair, turned
from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.functions import Function, LayerFunction, input_names, is_input
from cnncli.inspection.gradcheck.oracles import slope, slopes
from cnncli.inspection.gradcheck.windows import Pair, Windows, changed

Array = NDArray[Any]

LARGEST_STRIDE = 3
FEW = 256
"""So many inputs of a sample are looked at one by one."""


def other_weights(examination: Examination[LayerFunction]) -> str | None:
    """An input's gradient that is made with the weights turned, mirrored or transposed."""
    function = examination.function
    weight = function.params.get("weight")
    if weight is None or not is_input(examination.name):
        return None
    for text, other in turned(weight, "weight"):
        substitute = replace(function, params={**function.params, "weight": other})
        if computes(examination, lambda u, s=substitute: slope(s, examination.name, u, examination.cotangent)):  # type: ignore[misc]
            return text
    return None


def other_windows(examination: Examination[LayerFunction]) -> str | None:
    """Windows that are put in the wrong places, or that overwrite one another."""
    function = examination.function
    windows = function.windows
    if not function.layer.linear or len(function.xs) > 1 or windows is None:
        return None
    if (windows.extent, windows.stride) == ((1, 1), (1, 1)):
        return None
    for stride in range(1, LARGEST_STRIDE + 1):
        if (stride, stride) != windows.stride and _made_with(examination, windows, stride=(stride, stride)):
            return f"as if the stride were {stride} and not {pair(windows.stride)}"
    dilation = _dilation(function, windows)
    if dilation != (1, 1) and _made_with(examination, windows, dilation=(1, 1)):
        return f"as if the dilation were 1 and not {pair(dilation)}"
    if examination.name == INPUT and _overwritten(examination, windows):
        return "where windows overlap, the last one overwrites the others instead of being added to them"
    return None


def _dilation(function: LayerFunction, windows: Windows) -> Pair:
    """How far apart the pixels are that a kernel sees: its windows are larger than it is itself."""
    weight = function.params.get("weight")
    if weight is None or weight.ndim != 4:
        return (1, 1)
    rows, columns = (
        (extent - 1) // (size - 1) if size > 1 else 1
        for extent, size in zip(windows.extent, weight.shape[2:], strict=True)
    )
    return rows, columns


def _made_with(examination: Examination[LayerFunction], windows: Windows, **options: Any) -> bool:
    """Whether it is the gradient of the same layer with another stride or dilation. The padding is part of the input
    there, and has room for windows that lie further apart."""
    function = examination.function
    pads = [(0, 0), (0, 0), *windows.padding(options.get("stride"))]
    seen = np.pad(function.xs[0], pads)
    other = changed(function.layer, **options, padding=0)
    shape = other.infer((seen.shape[1:],))
    upstream = np.zeros((*shape, len(seen)))
    rows, columns = windows.outputs
    upstream[:, :rows, :columns] = examination.cotangent
    node = replace(function.node, layer=other, input_shapes=(seen.shape[1:],), shape=shape)
    substitute = replace(function, node=node, xs=(seen,), cotangent=upstream)

    def slope_of(direction: Array) -> float:
        moved = np.pad(direction, pads) if examination.name == INPUT else direction
        return slope(substitute, examination.name, moved, upstream)

    return computes(examination, slope_of)


def _overwritten(examination: Examination[LayerFunction], windows: Windows) -> bool:
    """Whether each pixel has only what the last window that sees it gives.

    Windows are taken in groups that do not overlap: in each, a pixel has one window at most.
    """
    groups = [-(-extent // stride) for extent, stride in zip(windows.extent, windows.stride, strict=True)]
    if groups == [1, 1]:
        return False
    outputs = [np.arange(count) for count in windows.outputs]
    last = [
        np.minimum((np.arange(size) - first) // stride, count - 1)
        for size, first, stride, count in zip(windows.size, windows.first, windows.stride, windows.outputs, strict=True)
    ]

    def slope_of(direction: Array) -> float:
        total = 0.0
        for group in product(*map(range, groups)):
            pixels = _mask([place % count == each for place, count, each in zip(last, groups, group, strict=True)])
            terms = _mask([place % count == each for place, count, each in zip(outputs, groups, group, strict=True)])
            weights = examination.cotangent * terms[..., None]
            total += slope(examination.function, examination.name, direction * pixels, weights)
        return total

    return computes(examination, slope_of)


def _mask(axes: list[Array]) -> Array:
    """(H, W), true where both axes are."""
    rows, columns = axes
    mask: Array = rows[:, None] & columns
    return mask


def missing_sum(examination: Examination[Function]) -> str | None:
    """A parameter's gradient of which only a part was added up."""
    if is_input(examination.name):
        return None
    for text, mask in _parts(examination.cotangent.shape):
        weights = examination.cotangent * mask
        if computes(examination, lambda u, w=weights: slope(examination.function, examination.name, u, w)):  # type: ignore[misc]
            return text
    return None


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    """Terms (C, H, W, N) that may have been left as all there is."""
    for which, place in (("first", 0), ("last", -1)):
        if shape[-1] > 1:
            yield f"only the {which} sample counts: they are not summed", _only(shape, {-1: place})
        if len(shape) == 4:
            if shape[1] * shape[2] > 1:
                places = {1: place, 2: place}
                yield f"only the {which} position counts: the positions are not summed", _only(shape, places)
            yield f"only the {which} row counts: the rows are not summed", _only(shape, {1: place})
            yield f"only the {which} column counts: the columns are not summed", _only(shape, {2: place})


def _only(shape: tuple[int, ...], places: dict[int, int]) -> Array:
    mask = np.ones(shape, np.bool_)
    for axis, place in places.items():
        kept = np.zeros(shape[axis], np.bool_)
        kept[place] = True
        mask &= kept.reshape([-1 if other == axis % len(shape) else 1 for other in range(len(shape))])
    return mask


def other_input(examination: Examination[LayerFunction]) -> str | None:
    """The gradient of another one of the layer's inputs."""
    function = examination.function
    if not is_input(examination.name):
        return None
    others = [name for name in input_names(function.node) if name != examination.name]
    for name in others:
        if function.tensors[name].shape != examination.gradient.shape:
            continue
        if computes(examination, lambda u, n=name: slope(function, n, u, examination.cotangent)):  # type: ignore[misc]
            return f"this is the gradient of {name}: the inputs are mixed up"
    return None


def own_input_alone(examination: Examination[Function]) -> str | None:
    """The Jacobian's diagonal alone, where a layer like softmax mixes the numbers of a sample."""
    if not is_input(examination.name):
        return None
    direction = batch_last(np.zeros(examination.gradient.shape))
    if direction.shape != examination.cotangent.shape or direction[..., 0].size > FEW:
        return None
    diagonal = np.empty(direction.shape)
    for place in np.ndindex(direction.shape[:-1]):
        direction[...] = 0
        direction[place] = 1
        diagonal[place] = _slopes(examination.function, examination.name, direction)[place]
    if equal(examination, diagonal * examination.cotangent):
        return "as if each output depended on its own input alone"
    return None


def _slopes(function: Function, name: str, direction: Array) -> Array:
    """For a direction with the batch last."""
    return slopes(function, name, np.moveaxis(direction, -1, 0))
