"""How a confusion matrix is coloured and what is written beside it, in the terminal and in a PNG alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnncli.render.colors import Colors, Limits
from cnncli.render.text import count, percent
from cnncli.wording import plural

if TYPE_CHECKING:
    from cnncli.inspection.views.confusion import ClassQuality, ConfusionView

DARK, LIGHT, BRIGHT = (20, 20, 24), (236, 236, 236), 0.5
"""The colours of numbers in bright and in dark cells, and from which luminance on these are bright."""
EMPTY = (30, 30, 34)
"""The colour of a cell in which there is nothing."""
LONGEST = 24
"""Letters of a class name."""
READING = ("rows: true class", "columns: predicted class")


def facts(view: ConfusionView) -> list[str]:
    """How many, how many of them right."""
    found = [plural(view.counted, "answer"), f"accuracy {percent(view.accuracy)}"]
    return found + ([f"{count(view.nonfinite)} of them from NaN or infinity"] if view.nonfinite else [])


def shares(view: ConfusionView) -> NDArray[np.float64]:
    """(K, K): of each true class the share that is taken for each; 0 where there is none of it."""
    matrix = np.array(view.matrix, np.float64)
    return np.asarray(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))


def errors(view: ConfusionView) -> NDArray[np.float64]:
    """The shares without those that are right."""
    return shares(view) * ~np.eye(len(view.classes), dtype=bool)


def error_limits(view: ConfusionView) -> Limits:
    """From 0 to the largest share of an error."""
    return Limits.of(0.0, float(errors(view).max()), signed=False)


def cell_colors(view: ConfusionView) -> Colors:
    """(K, K, 3): viridis for errors, as they would vanish beside what is right, which is grey, the brighter the more;
    EMPTY where there is nothing."""
    every = shares(view)
    colors = error_limits(view).colors(errors(view))
    colors[every == 0] = EMPTY
    places = np.arange(len(every))
    right = every[places, places]
    grey = 50 + 130 * right
    colors[places, places] = np.where(right > 0, grey, colors[places, places].T).T.astype(np.uint8)
    return colors


def class_label(quality: ClassQuality, longest: int = LONGEST) -> str:
    """The number and the name, shortened; the number alone where it is the name."""
    label = str(quality.class_) if quality.name == str(quality.class_) else f"{quality.class_} {quality.name}"
    return label if len(label) <= longest else f"{label[: longest - 2]}.."
