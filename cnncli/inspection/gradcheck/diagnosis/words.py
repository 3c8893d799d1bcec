"""What the axes of a tensor are called."""

from __future__ import annotations

from collections.abc import Sequence

from cnncli.inspection.gradcheck.examination import Examination
from cnncli.inspection.gradcheck.subjects import LayerSubject, NetworkSubject, is_input

NAMED = 4
"""So many places are listed before the rest are only counted."""


def axes_of(examination: Examination) -> tuple[str, ...]:
    """A name for every axis of the tensor."""
    gradient, name = examination.gradient, examination.name
    if is_input(name):
        return {
            2: ("sample", "feature"),
            3: ("sample", "channel", "position"),
            4: ("sample", "channel", "row", "column"),
        }.get(gradient.ndim, ("sample",) + ("place",) * (gradient.ndim - 1))
    if gradient.ndim == 4:
        return ("filter", "input channel", "row", "column")
    if gradient.ndim == 2:
        return ("output", "input")
    return ("filter" if _is_convolution(examination) else "channel",)


def _is_convolution(examination: Examination) -> bool:
    """Whether a vector belongs to kernels."""
    subject, (node, _, _) = examination.subject, examination.name.rpartition(".")
    params = subject.model.parameters[node] if isinstance(subject, NetworkSubject) else {}
    if isinstance(subject, LayerSubject):
        params = subject.params
    return any(array.ndim == 4 for array in params.values())


def listed(places: Sequence[int]) -> str:
    """3; 3 and 5; 0, 1, 2, 3 and 12 more."""
    first, rest = [str(place) for place in places[:NAMED]], len(places) - NAMED
    if rest > 0:
        return f"{', '.join(first)} and {rest} more"
    return first[0] if len(first) == 1 else f"{', '.join(first[:-1])} and {first[-1]}"


def pair(sizes: tuple[int, int]) -> str:
    """2, or 1x2 where height and width differ."""
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}x{sizes[1]}"
